// The host's accent colour, where it can be read: on buttons with black or white words, whichever stands out more; as
// the colour of words only if it stands out from the ground (WCAG 1.4.3, 4.5:1). Else ours stays.
const GROUNDS = { light: [251, 250, 248], dark: [23, 22, 20] } as const;
const READABLE = 4.5;

type Rgb = readonly [red: number, green: number, blue: number];

/** `color` is checked already (protocol.ts); empty takes the accent away. */
export function applyAccent(color: string, theme: "light" | "dark"): void {
  const { style } = document.documentElement;
  const rgb = color === "" ? undefined : rgbOf(color);
  const set = (name: string, value: string | undefined): void => (value === undefined ? void style.removeProperty(name) : style.setProperty(name, value));
  set("--accent-ground", rgb && color);
  set("--accent-text", rgb && (contrast(rgb, [255, 255, 255]) >= contrast(rgb, [0, 0, 0]) ? "#ffffff" : "#000000"));
  set("--accent", rgb && contrast(rgb, GROUNDS[theme]) >= READABLE ? color : undefined);
}

/** As a screen shows it; undefined for what is no colour, and for one that is not opaque. */
function rgbOf(color: string): Rgb | undefined {
  if (!CSS.supports("color", color)) return undefined;
  const context = Object.assign(document.createElement("canvas"), { width: 1, height: 1 }).getContext("2d");
  if (!context) return undefined;
  context.fillStyle = color;
  context.fillRect(0, 0, 1, 1);
  const [red = 0, green = 0, blue = 0, alpha = 0] = context.getImageData(0, 0, 1, 1).data;
  return alpha === 255 ? [red, green, blue] : undefined;
}

/** WCAG 2.2, "contrast ratio" and "relative luminance". */
function contrast(a: Rgb, b: Rgb): number {
  const [bright, dark] = [luminance(a), luminance(b)].sort((x, y) => y - x) as [number, number];
  return (bright + 0.05) / (dark + 0.05);
}

function luminance(rgb: Rgb): number {
  const [red, green, blue] = rgb.map((value) => (value / 255 <= 0.04045 ? value / 255 / 12.92 : ((value / 255 + 0.055) / 1.055) ** 2.4)) as [number, number, number];
  return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
}
