// Words that names are made of, split once and for all: a word is either for training or held out, never both.
// The lists are plain English written for this project; more words may be added when a corpus is made, never for held-out tasks.
import { USUAL_NAMES } from "./names.ts";
import { hashText, type Random } from "./random.ts";

/** Which side of the split a task is on. */
export type Side = "train" | "held-out";

const NOUNS = `score price user order item point cost value page line task file node row cell bill day hour step vote rank weight
height speed level coin card game team player word name tag key list stock sale tax fee ticket seat room city road tree leaf book
song note mark test grade class event email phone photo image color pixel frame sample signal sensor record entry field group block
chunk batch queue slot track route trip mile pound gram meal dish invoice basket planet garden wallet rocket engine bottle window
mirror anchor bridge castle dragon falcon guitar hammer island jacket kettle ladder market needle office pencil rabbit saddle temple
tunnel valley wagon yogurt zebra apple banana carrot dinner eagle forest goblet harbor insect jungle kitten lemon magnet nickel
orange parcel quiver ribbon silver tablet umbrella velvet walnut acorn badge cable daisy ember flute glove hinge igloo jewel knife
lunch medal nurse ocean piano quilt radio shelf torch vault wheel yacht alarm beach cloud dough ferry grain house ivory juice lake
metal night olive paint quest river stone tower uncle voice water year zone arch barn cave desk edge fork gate hill iron joke kite
lamp moon nest oven path rope sand tent unit vest wing yard actor baker clerk diver elder fisher guard hiker judge pilot ruler singer
tutor worker account answer backup budget button canvas center client column copper cursor degree device driver editor effect export
family figure finger flight folder friend future handle header height import income junior letter memory method minute module moment
mother motion museum nation number object option origin output packet parent people period player plugin police prefix profit public
reason region report result review reward sample school screen season second sender series server shadow socket source speech spirit
spring square status stream street string studio summer supply switch symbol system target theory thread ticket timer title token
topic total trade trail train travel trust value vector vendor video virus vision volume warning weather website winner winter wonder
writer zipper crate crown crystal curve delta diary digit drawer dream drill echo fabric fence fiber flame flock floor flower fossil
fruit gallery glacier globe goal gravel hall handle harvest hazard heart helmet herd hotel idea index input jar jet kernel kick label
lane laser layer lens lever lion liquid lobby locker loop lot machine map maple mask mast match maze menu mesh mill mine mint model
monkey motor mount mouse nail neck net noise nut oak opera orbit organ owner oyster paddle palm panel panther paper park party patch
pearl pebble pepper petal pier pipe pitch plan plant plate plaza poem pole pond pool port post pot powder prize pulse pump puppy
purse puzzle rail rain ramp ranch range rate razor reef rest rice ring robot rock roof root rose rug sack sail salad salt scale scarf
scene seed shape shark sheep ship shoe shop shore silk skill skin sky slope smoke snack snail snow soap sock soil soup spark spoon
spot stable staff stage stair stamp star station steam steel stem stick storm story stove straw stripe sugar suit sun swamp swan
sword tail tank tape taxi tea thorn tide tiger tile tin tire toast tooth trace tray tribe trick trophy truck tube tulip turtle twig
valve van vase vine wall wave wax web weed well whale wheat whip wire wolf wood wool wreck wrist yarn`;

const OTHERS = `able above active actual after alive alone amber ample angry arctic bald basic best big bitter blank blind blue bold
brave brief bright broad broken brown busy calm cheap chief civil clean clear clever close cold common cool crisp cruel curly curved
daily damp dark dear deep dense direct dirty double dry dull eager early east easy elastic empty entire equal even exact extra faint
fair false famous fancy fast fat final fine firm first fixed flat fluid focal fond frail free fresh front frozen full funny gentle
giant glad global gold good grand gray great green handy happy hard heavy high hollow honest hot huge humble hungry ideal idle inner
jolly keen kind large last late lazy lean legal light likely linear local lone long loose loud low loyal lucky main major mature mean
medium mere merry middle mild minor misty mixed modern modest moist narrow native neat new next nice noble normal north novel odd old
only open outer oval pale past perfect plain pink polite poor prime proper proud pure purple quick quiet rapid rare raw ready real
recent red remote rich right rigid ripe rough round royal rural rusty safe salty same secret senior severe sharp shiny short shy silent
simple single sleepy slim slow small smart smooth social soft solid sour south spare special spicy stable steady steep stiff still
strange strict strong sudden sunny super sure sweet swift tall tame tender thick thin tight tiny tired tough true ugly unique upper
urban urgent usual vague valid vast vital vivid warm weak wet white whole wide wild wise wooden wrong young adjust admit adopt advise
agree allow amuse apply argue arrive attach attend avoid bake balance bargain beg begin behave belong bind bite blend boil borrow
bounce bow brush build burn bury buy call camp carry carve cast catch cause change charge chase chat check cheer chew choose chop
claim clap climb cling collect comb come command compare compete complain confess connect consider contain cook copy correct cough
cover crack crash crawl cross crush cry cure curl cut dance dare deal decay decide deliver demand deny depend desire destroy detect
develop dig dip discover divide dodge doubt drag draw dress drift drink drive drop drown earn eat employ enjoy enter escape examine
excite exist expand expect explain explode explore extend fade fail fall fasten feed feel fetch fight fill film find fit fix flap
flash float flood flow fly fold follow forget form found freeze fry gain gather gaze give glow glue go grab greet grin grip grow guess
guide hang happen harm hate haunt head heal heap hear heat help hide hit hold hop hope hover hug hunt hurry identify ignore imagine
impress improve include increase inform inject injure instruct intend invent invite itch jail jog join jump keep kill kiss kneel knit
knock knot know land laugh launch lay lead learn leave lend level lick lie lift like listen live load lock look lose love make manage
march marry matter measure melt mend mess move multiply murder nod notice obey observe obtain occur offer order owe own pack pass pause
peck pedal peel peep perform permit phone pick pinch place play please plug point poke possess pour practise pray preach prefer
prepare present preserve press pretend prevent prick print produce promise protect provide pull punch push question race radiate
reach realise receive recognise reduce reflect refuse regret reign reject rejoice relax release rely remain remember remind remove
repair repeat replace reply rescue retire rhyme rinse rise risk rob roll rot rub ruin rule run rush satisfy save saw scatter scold
scorch scrape scratch scream screw scribble scrub seal search seek sell send separate serve settle shade share shave shelter shiver
shock shout show shrug sigh sign signal sin sing sink sip sit skate ski skip slap sleep slip smell smile smoke snatch sneeze sniff
snore sound spare spark speak spell spend spill spin split spoil spray sprout squash squeak squeal squeeze stain stand stare start
stay steal steer step stir stitch stop stretch strike strip stroke study stuff subtract succeed suck suffer suggest suit surprise
surround suspect suspend swear sweep swell swim swing talk tame tap taste teach tear tease tell tempt terrify thank think throw tick
tickle tie tip touch tow trace train trap treat tremble trick trip trot trouble tug tumble turn twist type undress unite unlock unpack
use vanish visit wail wait wake walk wander want warm warn wash waste watch weep weigh welcome whirl whisper whistle wink wipe wish
wobble work worry wrap wrestle write yawn yell zip zoom`;

const RESERVED = new Set(
  `abstract arguments as async await boolean break byte case catch char class const continue debugger default delete do double else
  enum eval export extends false final finally float for from function get goto if implements import in instanceof int interface let
  long native new null of package private protected public return set short static super switch synchronized this throw throws
  transient true try typeof undefined var void volatile while with yield test assert process global console require module exports`.split(/\s+/),
);

/** Words that only held-out tasks use, whatever their hash. */
const HELD_OUT_WORDS = `lantern mosaic turnip pelican sextant gazelle thimble orchid bramble cobalt dulcimer ferret gondola hamper
inkwell javelin krill lichen mallet nectar ottoman paprika quartz rhubarb sandal tartan urchin vulture walrus xylem yodel zircon
abacus bellows cistern drizzle easel fathom gourd heron ibex jackal kelp locket marmot nougat obelisk pewter quokka rapier sorrel
trellis ukulele vellum wombat yucca almanac beacon caravan dovetail`.split(/\s+/);
const HELD_OUT_SET = new Set(HELD_OUT_WORDS);

/** False for words that cannot name a variable. */
export function isUsableName(word: string): boolean {
  return /^[a-z][A-Za-z0-9]*$/.test(word) && !RESERVED.has(word);
}

/** The side a word belongs to: one in nine by hash, plus a fixed list, is held out. Plurals go with their singular. */
export function sideOf(word: string): Side {
  const root = word.toLowerCase().replace(/s$/, "");
  if (USUAL_NAMES.has(word) || USUAL_NAMES.has(root) || USUAL_NAMES.has(`${root}s`)) return "train";
  return HELD_OUT_SET.has(root) || hashText(root) % 9 === 0 ? "held-out" : "train";
}

const written = [...new Set(`${NOUNS} ${OTHERS}`.split(/\s+/))].filter(isUsableName);
const nouns = [...new Set(NOUNS.split(/\s+/))].filter(isUsableName);
const SYLLABLES = `ba be bo da de do fa fi ga go ka ki ko la le lo ma mi mo na ne no pa pe po ra re ro sa se so ta te to va vi za zu lor
mer dan fol gra stu per con ver tin que wex yol bri cha dre fle glo hus jin kle lum nob pru sno tru vok wim zed ack eff ith olm urn`.split(/\s+/);

/** Draws names for one side of the split. */
export class WordSource {
  readonly #side: Side;
  readonly #words: readonly string[];
  readonly #nouns: readonly string[];

  /** `extra` words widen the pool of a corpus; those of the other side are dropped. */
  constructor(side: Side, extra: readonly string[] = []) {
    this.#side = side;
    const own = (word: string): boolean => sideOf(word) === side;
    this.#words = [...new Set([...written, ...(side === "held-out" ? HELD_OUT_WORDS : []), ...extra.filter(isUsableName)])].filter(own);
    this.#nouns = side === "held-out" ? HELD_OUT_WORDS : nouns.filter(own);
  }

  get size(): number {
    return this.#words.length;
  }

  /** A common noun. */
  noun(random: Random): string {
    return random.pick(this.#nouns);
  }

  /** Any word at all: real, made of syllables, or a few random letters. */
  wide(random: Random): string {
    for (;;) {
      const word = this.#draw(random);
      if (isUsableName(word) && sideOf(word) === this.#side) return word;
    }
  }

  #draw(random: Random): string {
    const kind = random.next();
    if (kind < 0.62) return random.pick(this.#words);
    if (kind < 0.85) return Array.from({ length: random.int(2, 3) }, () => random.pick(SYLLABLES)).join("");
    return Array.from({ length: random.int(2, 6) }, () => random.pick([..."abcdefghijklmnopqrstuvwxyz"])).join("");
  }
}
