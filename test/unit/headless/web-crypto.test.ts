// crypto.subtle beside real Node's: what one signs, encrypts and derives with new keys, the other verifies, decrypts and derives.
import { describe, expect, it } from "vitest";
import { type Files, type Ran, runAsInBrowser, runInNode } from "../../support/browser-realm.ts";

const SHARED = `
exports.rsa = { modulusLength: 1024, publicExponent: Uint8Array.of(1, 0, 1), hash: "SHA-256" };
exports.signing = [{ name: "RSASSA-PKCS1-v1_5", ...exports.rsa }, { name: "RSA-PSS", saltLength: 32, ...exports.rsa }, ...["P-256", "P-384", "P-521"].map((namedCurve) => ({ name: "ECDSA", namedCurve, hash: "SHA-512" })), { name: "Ed25519" }, { name: "HMAC", hash: "SHA-384" }];
exports.sealing = [{ name: "RSA-OAEP", label: Buffer.from("label"), ...exports.rsa }, ...["AES-CBC", "AES-CTR", "AES-GCM"].map((name) => ({ name, length: 128, iv: Buffer.alloc(16, 3), counter: Buffer.alloc(16, 255) }))];
exports.agreeing = [...["P-256", "P-384", "P-521"].map((namedCurve) => ({ name: "ECDH", namedCurve })), { name: "X25519" }];
exports.data = Buffer.from("what is signed and sealed, longer than one block");
// RFC 7517: the forms that cross.
exports.forms = ["jwk", "pkcs8", "spki", "raw"];
exports.text = (value) => (value instanceof ArrayBuffer ? { base64: Buffer.from(value).toString("base64") } : value);
exports.back = (value) => (value.base64 === undefined ? value : Buffer.from(value.base64, "base64"));
`;

const MAKE = `
const { signing, sealing, agreeing, data, forms, text } = require("./shared.js");
const { subtle } = crypto;
const parts = async (key) => {
  const all = {};
  for (const form of forms) await subtle.exportKey(form, key).then((value) => (all[form] = text(value)), () => undefined);
  return all;
};
(async () => {
  const made = { signed: [], sealed: [], agreed: [], wrapped: [] };
  for (const way of signing) {
    const key = await subtle.generateKey(way, true, ["sign", "verify"]);
    made.signed.push({ key: await parts(key.publicKey ?? key), secret: await parts(key.privateKey ?? key), signature: text(await subtle.sign(way, key.privateKey ?? key, data)) });
  }
  for (const way of sealing) {
    const key = await subtle.generateKey(way, true, ["encrypt", "decrypt"]);
    made.sealed.push({ key: await parts(key.privateKey ?? key), sealed: text(await subtle.encrypt(way, key.publicKey ?? key, data)) });
  }
  for (const way of agreeing) {
    const [a, b] = [await subtle.generateKey(way, true, ["deriveBits"]), await subtle.generateKey(way, true, ["deriveBits"])];
    made.agreed.push({ key: await parts(a.privateKey), other: await parts(b.publicKey), bits: text(await subtle.deriveBits({ name: way.name, public: b.publicKey }, a.privateKey, 256)) });
  }
  const by = await subtle.generateKey({ name: "AES-KW", length: 192 }, true, ["wrapKey"]);
  const key = await subtle.generateKey({ name: "ECDSA", namedCurve: "P-256" }, true, ["sign"]);
  made.wrapped.push({ by: await parts(by), key: await parts(key.privateKey), wrapped: text(await subtle.wrapKey("jwk", key.privateKey, by, "AES-KW")) });
  console.log(JSON.stringify(made));
})();
`;

const CHECK = `
const { signing, sealing, agreeing, data, back } = require("./shared.js");
const { subtle } = crypto;
const made = require("./made.json");
const each = (parts, way, uses, forms) => Promise.all(Object.keys(parts).filter((form) => forms.includes(form)).map(async (form) => [form, await subtle.importKey(form, form === "jwk" ? { ...parts.jwk, key_ops: undefined } : back(parts[form]), way, true, uses)]));
const all = ["jwk", "pkcs8", "spki", "raw"];
(async () => {
  for (const [k, way] of signing.entries()) {
    for (const [form, key] of await each(made.signed[k].key, way, ["verify"], all)) console.log(way.name, way.namedCurve, form, await subtle.verify(way, key, back(made.signed[k].signature), data), await subtle.verify(way, key, back(made.signed[k].signature), data.subarray(1)));
    for (const [form, key] of await each(made.signed[k].secret, way, ["sign"], all)) console.log(way.name, form, (await subtle.sign(way, key, data)).byteLength);
  }
  for (const [k, way] of sealing.entries()) for (const [form, key] of await each(made.sealed[k].key, way, ["decrypt"], ["jwk", "pkcs8", "raw"])) console.log(way.name, form, Buffer.from(await subtle.decrypt(way, key, back(made.sealed[k].sealed))).equals(data));
  for (const [k, way] of agreeing.entries()) {
    for (const [form, key] of await each(made.agreed[k].key, way, ["deriveBits"], all)) for (const [otherForm, other] of await each(made.agreed[k].other, way, [], all)) console.log(way.name, way.namedCurve, form, otherForm, Buffer.from(await subtle.deriveBits({ name: way.name, public: other }, key, 256)).equals(back(made.agreed[k].bits)));
  }
  const [{ by, key, wrapped }] = made.wrapped;
  const wrapping = await subtle.importKey("raw", back(by.raw), "AES-KW", false, ["unwrapKey"]);
  const found = await subtle.exportKey("jwk", await subtle.unwrapKey("jwk", back(wrapped), wrapping, "AES-KW", { name: "ECDSA", namedCurve: "P-256" }, true, ["sign"]));
  console.log("unwrapped", found.d === key.jwk.d);
})();
`;

type Run = (files: Files, argv: readonly string[]) => Promise<Ran>;

async function madeAndChecked(make: Run, check: Run): Promise<string[]> {
  const made = await make({ "shared.js": SHARED, "make.js": MAKE }, ["make.js"]);
  expect(made).toMatchObject({ code: 0, stderr: "" });
  const checked = await check({ "shared.js": SHARED, "check.js": CHECK, "made.json": made.stdout }, ["check.js"]);
  expect(checked).toMatchObject({ code: 0, stderr: "" });
  return checked.stdout.trim().split("\n");
}

describe("crypto.subtle", { timeout: 60_000 }, () => {
  it("makes what real Node accepts, and accepts what real Node makes", async () => {
    const itself = await madeAndChecked(runInNode, runInNode);
    expect(itself.length).toBeGreaterThan(45);
    // Right ones verify and wrong ones do not, what was sealed opens, signatures have a length.
    expect(itself.filter((line) => !/ true(?: false)?$| \d+$/.test(line))).toEqual([]);
    expect(await madeAndChecked(runAsInBrowser, runInNode)).toEqual(itself);
    expect(await madeAndChecked(runInNode, runAsInBrowser)).toEqual(itself);
  });
});
