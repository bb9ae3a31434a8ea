// Keys as DER in their containers: SPKI and PKCS #8 for all, PKCS #1 for RSA, SEC 1 for curves (RFC 5280, 5958, 8017, 5915,
// 8410), and as JSON Web Keys.
import { joined } from "../../../base/bytes.ts";
import { bits, bitsOf, context, type DerValue, integer, integerOf, need, nothing, octets, octetsOf, oid, oidText, readDer, sequence, TAG, toBigEndian, fromBigEndian } from "./der.ts";
import { CURVES, type CurveName, EDWARDS, type EdKey, isRsa, type Material, type RsaKey } from "./material.ts";
import { digestOfOid, digestOid } from "./rsa.ts";
import { tools } from "./tools.ts";

const RSA = "1.2.840.113549.1.1.1";
const RSA_PSS = "1.2.840.113549.1.1.10";
const MGF1 = "1.2.840.113549.1.1.8";
const EC = "1.2.840.10045.2.1";
const DH = "1.2.840.113549.1.3.1";

function pssParameters({ hash, mgfHash, saltLength }: NonNullable<RsaKey["pss"]>): Uint8Array {
  const algorithm = (name: string): Uint8Array => sequence(oid(digestOid(name) ?? ""), nothing());
  return sequence(
    ...(hash === "sha1" ? [] : [context(0, algorithm(hash))]),
    ...(mgfHash === "sha1" ? [] : [context(1, sequence(oid(MGF1), algorithm(mgfHash)))]),
    ...(saltLength === 20 ? [] : [context(2, integer(saltLength))]),
  );
}

export function readPss(value: DerValue): NonNullable<RsaKey["pss"]> {
  const part = (n: number): DerValue | undefined => value.items.find(({ tag }) => tag === (0xa0 | n))?.items[0];
  const name = (algorithm: DerValue | undefined): string => (algorithm ? digestOfOid(oidText(need(algorithm.items[0], TAG.oid))) ?? "" : "sha1");
  const salt = part(2);
  return { hash: name(part(0)), mgfHash: name(part(1)?.items[1]), saltLength: salt ? Number(integerOf(salt)) : 20 };
}

/** The AlgorithmIdentifier. */
function algorithmOf(key: Material): Uint8Array {
  switch (key.type) {
    case "rsa":
      return sequence(oid(RSA), nothing());
    case "rsa-pss":
      return sequence(oid(RSA_PSS), ...(key.pss ? [pssParameters(key.pss)] : []));
    case "ec":
      return sequence(oid(EC), oid(CURVES[key.curve].oid));
    case "dh":
      return sequence(oid(DH), sequence(integer(key.p), integer(key.g)));
    default:
      return sequence(oid(EDWARDS[key.type].oid));
  }
}

export const pkcs1Public = ({ n, e }: RsaKey): Uint8Array => sequence(integer(n), integer(e));

export function pkcs1Private({ n, e, private: secret }: RsaKey): Uint8Array {
  const { d, p, q, dp, dq, qi } = secret as NonNullable<RsaKey["private"]>;
  return sequence(integer(0), integer(n), integer(e), integer(d), integer(p), integer(q), integer(dp), integer(dq), integer(qi));
}

export function sec1({ curve, point, private: secret }: Material & { readonly type: "ec" }, named = true): Uint8Array {
  return sequence(integer(1), octets(secret as Uint8Array), ...(named ? [context(0, oid(CURVES[curve].oid))] : []), context(1, bits(point)));
}

export function spki(key: Material): Uint8Array {
  const body = isRsa(key) ? pkcs1Public(key) : key.type === "ec" ? key.point : key.type === "dh" ? integer(key.y) : key.public;
  return sequence(algorithmOf(key), bits(body));
}

export function pkcs8(key: Material): Uint8Array {
  const body = isRsa(key) ? pkcs1Private(key) : key.type === "ec" ? sec1(key, false) : key.type === "dh" ? integer(key.private as bigint) : octets(key.private as Uint8Array);
  return sequence(integer(0), algorithmOf(key), octets(body));
}

export function readPkcs1Public(bytes: Uint8Array, type: RsaKey["type"] = "rsa"): RsaKey {
  const { items } = need(readDer(bytes), TAG.sequence);
  return { type, n: integerOf(items[0]), e: integerOf(items[1]) };
}

export function readPkcs1Private(bytes: Uint8Array, type: RsaKey["type"] = "rsa"): RsaKey {
  const [, n, e, d, p, q, dp, dq, qi] = need(readDer(bytes), TAG.sequence).items.map(integerOf) as [bigint, bigint, bigint, bigint, bigint, bigint, bigint, bigint, bigint];
  return { type, n, e, private: { d, p, q, dp, dq, qi } };
}

export function readSec1(bytes: Uint8Array, known?: CurveName): Material {
  const { items } = need(readDer(bytes), TAG.sequence);
  const named = items.find(({ tag }) => tag === 0xa0)?.items[0];
  const curve = known ?? curveOfOid(oidText(need(named, TAG.oid)));
  return ecFromScalar(curve, octetsOf(items[1]));
}

export function ecFromScalar(curve: CurveName, scalar: Uint8Array): Material {
  const secret = toBigEndian(fromBigEndian(scalar), CURVES[curve].bytes);
  return { type: "ec", curve, point: CURVES[curve].curve.getPublicKey(secret, false), private: secret };
}

function curveOfOid(dotted: string): CurveName {
  const found = Object.entries(CURVES).find(([, curve]) => curve.oid === dotted);
  if (!found) throw tools().unsupported(`crypto: the curve ${dotted}`, "the container has prime256v1, secp384r1, secp521r1, secp256k1, secp224r1 and prime192v1");
  return found[0] as CurveName;
}

export const uncompressed = (curve: CurveName, point: Uint8Array): Uint8Array => CURVES[curve].curve.Point.fromBytes(point).toBytes(false);

export function readSpki(bytes: Uint8Array): Material {
  const [algorithm, body] = need(readDer(bytes), TAG.sequence).items;
  const [name, parameters] = need(algorithm, TAG.sequence).items;
  const dotted = oidText(need(name, TAG.oid));
  const content = bitsOf(body);
  if (dotted === RSA) return readPkcs1Public(content);
  if (dotted === RSA_PSS) return { ...readPkcs1Public(content, "rsa-pss"), ...(parameters ? { pss: readPss(parameters) } : {}) };
  if (dotted === EC) {
    const curve = curveOfOid(oidText(need(parameters, TAG.oid)));
    return { type: "ec", curve, point: uncompressed(curve, content) };
  }
  if (dotted === DH) return { type: "dh", ...dhParameters(parameters), y: integerOf(readDer(content)) };
  return { type: edwardsOf(dotted), public: content.slice() };
}

export function readPkcs8(bytes: Uint8Array): Material {
  const [, algorithm, body] = need(readDer(bytes), TAG.sequence).items;
  const [name, parameters] = need(algorithm, TAG.sequence).items;
  const dotted = oidText(need(name, TAG.oid));
  const content = octetsOf(body);
  if (dotted === RSA) return readPkcs1Private(content);
  if (dotted === RSA_PSS) return { ...readPkcs1Private(content, "rsa-pss"), ...(parameters ? { pss: readPss(parameters) } : {}) };
  if (dotted === EC) return readSec1(content, curveOfOid(oidText(need(parameters, TAG.oid))));
  if (dotted === DH) {
    const { p, g } = dhParameters(parameters);
    const secret = integerOf(readDer(content));
    return { type: "dh", p, g, y: power(g, secret, p), private: secret };
  }
  const type = edwardsOf(dotted);
  const secret = octetsOf(readDer(content)).slice();
  return { type, public: EDWARDS[type].publicOf(secret), private: secret };
}

function dhParameters(value: DerValue | undefined): { p: bigint; g: bigint } {
  const { items } = need(value, TAG.sequence);
  return { p: integerOf(items[0]), g: integerOf(items[1]) };
}

export function power(base: bigint, exponent: bigint, modulus: bigint): bigint {
  let [result, square] = [1n, base % modulus];
  for (let left = exponent; left > 0n; left >>= 1n) {
    if (left & 1n) result = (result * square) % modulus;
    square = (square * square) % modulus;
  }
  return result;
}

function edwardsOf(dotted: string): EdKey["type"] {
  const found = Object.entries(EDWARDS).find(([, curve]) => curve.oid === dotted);
  if (!found) throw tools().unsupported(`crypto: keys of the algorithm ${dotted}`, "the container has RSA, EC, Ed25519, Ed448, X25519, X448 and DH");
  return found[0] as EdKey["type"];
}

/** Base64url. */
const text = (bytes: Uint8Array): string => tools().Buffer.from(bytes).toString("base64url");
const number = (value: bigint): string => text(toBigEndian(value));

export function toJwk(key: Material): Record<string, string> {
  if (key.type === "rsa") {
    const { n, e, private: secret } = key;
    const rest = secret ? { d: number(secret.d), p: number(secret.p), q: number(secret.q), dp: number(secret.dp), dq: number(secret.dq), qi: number(secret.qi) } : {};
    return { kty: "RSA", n: number(n), e: number(e), ...rest };
  }
  if (key.type === "ec") {
    const { jwk, bytes } = CURVES[key.curve];
    if (jwk === undefined) throw tools().nodeError(Error, "ERR_CRYPTO_JWK_UNSUPPORTED_CURVE", `Unsupported JWK EC curve: ${key.curve}.`);
    return { kty: "EC", x: text(key.point.subarray(1, 1 + bytes)), y: text(key.point.subarray(1 + bytes)), crv: jwk, ...(key.private ? { d: text(key.private) } : {}) };
  }
  if (key.type === "dh" || isRsa(key)) throw tools().nodeError(Error, "ERR_CRYPTO_JWK_UNSUPPORTED_KEY_TYPE", "Unsupported JWK Key Type.");
  return { crv: EDWARDS[key.type].jwk, ...(key.private ? { d: text(key.private) } : {}), x: text(key.public), kty: "OKP" };
}

const CRVS = { EC: ["P-256", "secp256k1", "P-384", "P-521"], OKP: ["Ed25519", "Ed448", "X25519", "X448"] } as const;

function oneOf<T extends string>(name: string, value: unknown, values: readonly T[]): T {
  if (!values.includes(value as T)) throw tools().invalidArgValue(name, value, `must be one of: ${values.map((each) => `'${each}'`).join(", ")}`);
  return value as T;
}

/** A private key has its `d`, the public one leaves it. */
export function fromJwk(jwk: Record<string, unknown>, secret: boolean): Material {
  const { Buffer, nodeError, invalidArgType } = tools();
  const string = (name: string): string => {
    const value = jwk[name];
    if (typeof value !== "string") throw invalidArgType(`key.${name}`, "string", value);
    return value;
  };
  const bytes = (name: string): Uint8Array => Uint8Array.from(Buffer.from(string(name), "base64url"));
  const big = (name: string): bigint => fromBigEndian(bytes(name));
  const invalid = (what: string, cause?: unknown): Error => Object.assign(nodeError(TypeError, "ERR_CRYPTO_INVALID_JWK", `Invalid JWK ${what}`), cause === undefined ? {} : { cause });
  const kty = oneOf("key.kty", jwk["kty"], ["RSA", "EC", "OKP"]);
  if (kty === "RSA") return { type: "rsa", n: big("n"), e: big("e"), ...(secret ? { private: { d: big("d"), p: big("p"), q: big("q"), dp: big("dp"), dq: big("dq"), qi: big("qi") } } : {}) };
  string("crv");
  const crv = oneOf("key.crv", jwk["crv"], CRVS[kty] as readonly string[]);
  if (kty === "OKP") {
    const type = crv.toLowerCase() as EdKey["type"];
    const open = bytes("x");
    const key = secret ? bytes("d") : open;
    if (key.length !== EDWARDS[type].bytes) throw invalid("data");
    return secret ? { type, public: EDWARDS[type].publicOf(key), private: key } : { type, public: open };
  }
  const curve = (Object.keys(CURVES) as CurveName[]).find((each) => CURVES[each].jwk === crv) as CurveName;
  const point = joined([Uint8Array.of(4), bytes("x"), bytes("y")]);
  const own = secret ? { private: bytes("d") } : {};
  try {
    return { type: "ec", curve, point: uncompressed(curve, point), ...own };
  } catch (cause) {
    throw invalid("EC key", cause);
  }
}
