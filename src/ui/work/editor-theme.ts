// How the editor looks: the page's own tokens, so it turns dark and light with everything else.
import { HighlightStyle } from "@codemirror/language";
import { EditorView } from "@codemirror/view";
import { tags } from "@lezer/highlight";

/** The editor in the page's colours; they follow the theme by themselves. */
export const editorTheme = EditorView.theme({
  "&": { blockSize: "100%", color: "var(--text)", backgroundColor: "var(--ground)", fontSize: "13px" },
  "&.cm-focused": { outline: "2px solid var(--focus)", outlineOffset: "-2px" },
  ".cm-scroller": { fontFamily: "var(--mono)", lineHeight: "1.55" },
  ".cm-content": { caretColor: "var(--text)", paddingBlock: "8px" },
  ".cm-cursor, .cm-dropCursor": { borderInlineStartColor: "var(--text)" },
  ".cm-gutters": { backgroundColor: "var(--ground)", color: "var(--muted)", border: "0", paddingInlineEnd: "4px" },
  ".cm-activeLine, .cm-activeLineGutter": { backgroundColor: "color-mix(in srgb, var(--sunken) 70%, transparent)" },
  "&.cm-focused > .cm-scroller > .cm-selectionLayer .cm-selectionBackground, .cm-selectionBackground": { backgroundColor: "color-mix(in srgb, var(--focus) 28%, transparent)" },
  "&.cm-focused .cm-matchingBracket": { backgroundColor: "transparent", outline: "1px solid var(--muted)" },
  ".cm-searchMatch": { backgroundColor: "color-mix(in srgb, var(--accent-ground) 30%, transparent)", outline: "1px solid var(--accent)" },
  ".cm-searchMatch-selected": { backgroundColor: "color-mix(in srgb, var(--accent-ground) 55%, transparent)" },
  ".cm-selectionMatch": { backgroundColor: "color-mix(in srgb, var(--focus) 16%, transparent)" },
  ".cm-panels": { backgroundColor: "var(--sunken)", color: "var(--text)", fontFamily: "var(--sans)" },
  ".cm-panels.cm-panels-bottom": { borderBlockStart: "1px solid var(--line)" },
  ".cm-panel.cm-search": { padding: "8px 34px 8px 10px", display: "flex", flexWrap: "wrap", gap: "6px", alignItems: "center" },
  ".cm-panel.cm-search br": { flexBasis: "100%", content: '""' },
  ".cm-panel.cm-search label": { fontSize: "13px", margin: "0", display: "inline-flex", gap: "4px", alignItems: "center" },
  ".cm-panel.cm-search [name=close]": { insetInlineEnd: "6px", insetBlockStart: "6px", fontSize: "18px", padding: "2px 8px" },
  ".cm-textfield": { font: "13px/1.5 var(--sans)", color: "inherit", backgroundColor: "var(--raised)", border: "1px solid var(--line)", borderRadius: "var(--radius)", padding: "2px 8px", margin: "0" },
  ".cm-button": { font: "13px/1.5 var(--sans)", color: "inherit", backgroundColor: "var(--raised)", backgroundImage: "none", border: "1px solid var(--line)", borderRadius: "var(--radius)", padding: "2px 8px", margin: "0" },
  ".cm-specialChar": { color: "var(--bad)" },
});

/** Colours of the two palettes whose contrast is known; italics and weight tell the rest. */
export const editorHighlight = HighlightStyle.define([
  { tag: [tags.keyword, tags.modifier, tags.operatorKeyword, tags.controlKeyword, tags.definitionKeyword, tags.moduleKeyword], color: "var(--accent)" },
  { tag: [tags.string, tags.special(tags.string), tags.regexp, tags.attributeValue], color: "var(--good)" },
  { tag: [tags.number, tags.bool, tags.null, tags.atom, tags.constant(tags.name)], color: "var(--focus)" },
  { tag: [tags.comment, tags.meta, tags.processingInstruction], color: "var(--muted)", fontStyle: "italic" },
  { tag: [tags.definition(tags.variableName), tags.function(tags.variableName), tags.definition(tags.propertyName), tags.tagName, tags.typeName, tags.className], fontWeight: "600" },
  { tag: tags.heading, fontWeight: "700" },
  { tag: tags.strong, fontWeight: "700" },
  { tag: tags.emphasis, fontStyle: "italic" },
  { tag: [tags.link, tags.url], color: "var(--focus)", textDecoration: "underline" },
  { tag: tags.strikethrough, textDecoration: "line-through" },
  { tag: tags.invalid, color: "var(--bad)" },
]);
