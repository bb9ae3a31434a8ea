// The NIST curves below 256 bits: nothing new should be made with them, but suites and old keys have them.
// Parameters: SEC 2, version 2.0, §2.2.2 and §2.3.1.
import { ecdsa, weierstrass } from "@noble/curves/abstract/weierstrass.js";
import { sha256 } from "@noble/hashes/sha2.js";

const curve = (p: bigint, b: bigint, n: bigint, Gx: bigint, Gy: bigint): ReturnType<typeof ecdsa> => ecdsa(weierstrass({ p, a: p - 3n, b, n, h: 1n, Gx, Gy }), sha256);

export const secp192r1 = curve(
  0xfffffffffffffffffffffffffffffffeffffffffffffffffn,
  0x64210519e59c80e70fa7e9ab72243049feb8deecc146b9b1n,
  0xffffffffffffffffffffffff99def836146bc9b1b4d22831n,
  0x188da80eb03090f67cbf20eb43a18800f4ff0afd82ff1012n,
  0x07192b95ffc8da78631011ed6b24cdd573f977a11e794811n,
);

export const secp224r1 = curve(
  0xffffffffffffffffffffffffffffffff000000000000000000000001n,
  0xb4050a850c04b3abf54132565044b0b7d7bfd8ba270b39432355ffb4n,
  0xffffffffffffffffffffffffffff16a2e0b8f03e13dd29455c5c2a3dn,
  0xb70e0cbd6bb4bf7f321390b94a03c1d356c21122343280d6115c1d21n,
  0xbd376388b5f723fb4c22dfe6cd4375a05a07476444d5819985007e34n,
);
