// Async-local stores across `await`. The engine's own `await` tells nobody that it suspends, so functions that use it are
// edited: the scope is noted as the function suspends and put back as it goes on, in the value's way and in `catch` and
// `finally`. No promise and no microtask is added, so programs interleave as they were written.
//
//   await x            __tw_back(await __tw_pass(x, __tw_a = __tw_s()), __tw_a, __tw_a = void 0)
//   catch (e) { … }    catch (e) { __tw_a && (__tw_a = __tw_fail(__tw_a)); … }
//
// `__tw_a` holds a scope only while the function is suspended: an error thrown in between leaves the scope alone.
import type { EventLoop } from "../event-loop.ts";
import type { Edits } from "./edits.ts";
import { type Ast, children, isFunction } from "./references.ts";

const SAVE = "__tw_s";
const PASS = "__tw_pass";
const BACK = "__tw_back";
const FAIL = "__tw_fail";
const HELD = "__tw_a";
const RESTORE = ` ${HELD} && (${HELD} = ${FAIL}(${HELD}));`;

/** Names that edited code expects around it, in the order of `scopeFunctions`. */
export const SCOPE_PARAMETERS: readonly string[] = [SAVE, PASS, BACK, FAIL];
/** Put somewhere into a module's body when `keepScopes` edited its top level. */
export const HELD_DECLARATION = `var ${HELD};`;

type Scope = EventLoop["scope"];

export function scopeFunctions(loop: EventLoop): readonly unknown[] {
  const restore = (scope: Scope | undefined): undefined => {
    if (!scope) return;
    loop.scope = scope;
    loop.watch?.resume(scope);
  };
  return [
    () => loop.watch?.suspend() ?? loop.scope,
    (value: unknown) => value,
    (value: unknown, scope: Scope | undefined) => {
      restore(scope);
      return value;
    },
    restore,
  ];
}

/** Whether code may need `keepScopes`; a cheap look before a parse. */
export const mayAwait = (source: string): boolean => /\bawait\b/.test(source);

interface Frame {
  /** The word that suspends: a module's body that is a generator yields instead. */
  readonly keyword: "await" | "yield";
}

/** An `await` of the function itself, not of one inside it. */
export function awaitsHere(node: Ast): boolean {
  if (node.type === "AwaitExpression" || (node.type === "ForOfStatement" && node["await"] === true)) return true;
  if (node.type === "VariableDeclaration" && node["kind"] === "await using") return true;
  if (isFunction(node) || node.type === "StaticBlock") return false;
  return children(node).some(awaitsHere);
}

/** `top`: how the program's own top level suspends, if it does. Returns whether anything was edited. */
export function keepScopes(program: Ast, edits: Edits, top?: "await" | "yield"): boolean {
  let edited = false;

  const visitFunction = (node: Ast): void => {
    const body = node["body"] as Ast;
    const awaits = node["async"] === true && awaitsHere(body);
    const frame: Frame | undefined = awaits ? { keyword: "await" } : undefined;
    const isBlock = body.type === "BlockStatement";
    if (awaits && !isBlock) edits.insert(body.start, "{ return (");
    for (const child of children(node)) visit(child, frame, false);
    if (awaits) edits.insert(isBlock ? body.end - 1 : body.end, `${isBlock ? "" : ")"}; ${HELD_DECLARATION}${isBlock ? "" : " }"}`);
  };

  const visitTry = (node: Ast, frame: Frame): void => {
    const handler = node["handler"] as Ast | null;
    const finalizer = node["finalizer"] as Ast | null;
    const tried = awaitsHere(node["block"] as Ast);
    visit(node["block"] as Ast, frame, true);
    if (handler) {
      if (tried) edits.insert((handler["body"] as Ast).start + 1, RESTORE);
      visit(handler, frame, false);
    }
    if (finalizer) {
      if (tried || (handler && awaitsHere(handler))) edits.insert(finalizer.start + 1, RESTORE);
      visit(finalizer, frame, true);
    }
  };

  /** `whole` is the statement with its labels. */
  const visitForAwait = (node: Ast, whole: Ast, frame: Frame, inList: boolean): void => {
    const [left, right, body] = [node["left"], node["right"], node["body"]] as [Ast, Ast, Ast];
    if (!inList) edits.insert(whole.start, "{ ");
    visit(left, frame, false);
    edits.insert(right.start, `${PASS}(`);
    visit(right, frame, false);
    edits.insert(right.end, `, ${HELD} = ${SAVE}())`);
    const isBlock = body.type === "BlockStatement";
    edits.insert(isBlock ? body.start + 1 : body.start, `${isBlock ? "" : "{"}${RESTORE} try {`);
    visit(body, frame, true);
    edits.insert(isBlock ? body.end - 1 : body.end, `} finally { ${HELD} = ${SAVE}(); }${isBlock ? "" : " }"}`);
    edits.insert(whole.end, inList ? RESTORE : `${RESTORE} }`);
  };

  const visitAwait = (node: Ast, frame: Frame): void => {
    edited = true;
    const yields = frame.keyword === "yield";
    const afterWord = node.start + "await".length;
    edits.insert(node.start, `${BACK}(`);
    if (yields) edits.replace(node.start, afterWord, "(yield");
    edits.insert(afterWord, ` ${PASS}(`);
    visit(node["argument"] as Ast, frame, false);
    edits.insert(node.end, `, ${HELD} = ${SAVE}())${yields ? ")" : ""}, ${HELD}, ${HELD} = void 0)`);
  };

  const visit = (node: Ast, frame: Frame | undefined, inList: boolean): void => {
    if (isFunction(node)) return visitFunction(node);
    if (node.type === "PropertyDefinition" || node.type === "StaticBlock" || node.type === "AccessorProperty") {
      if (node["computed"] === true) visit(node["key"] as Ast, frame, false);
      for (const child of children(node)) if (child !== node["key"]) visit(child, undefined, false);
      return;
    }
    if (frame) {
      if (node.type === "AwaitExpression") return visitAwait(node, frame);
      if (node.type === "TryStatement") return visitTry(node, frame);
      const labelled = node.type === "LabeledStatement" ? withoutLabels(node) : node;
      if (labelled.type === "ForOfStatement" && labelled["await"] === true) {
        edited = true;
        return visitForAwait(labelled, node, frame, inList);
      }
    }
    const isList = node.type === "Program" || node.type === "BlockStatement" || node.type === "SwitchCase";
    for (const child of children(node)) visit(child, frame, isList);
  };
  visit(program, top === undefined ? undefined : { keyword: top }, true);
  return edited;
}

function withoutLabels(node: Ast): Ast {
  let inner = node;
  while (inner.type === "LabeledStatement") inner = inner["body"] as Ast;
  return inner;
}
