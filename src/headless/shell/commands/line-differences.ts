// The differences of two lists of lines: Myers' shortest edit script (An O(ND) Difference Algorithm, 1986), in linear space.

/** `a[from..to)` became `b[start..end)`; either may be empty. */
export interface Hunk {
  readonly from: number;
  readonly to: number;
  readonly start: number;
  readonly end: number;
}

/** In order, none touching another. `a` and `b` hold a number for each line: the same for lines that are the same. */
export function differences(a: Int32Array, b: Int32Array): Hunk[] {
  const gone = new Uint8Array(a.length + 1);
  const come = new Uint8Array(b.length + 1);
  mark(a, b, 0, a.length, 0, b.length, gone, come);
  const hunks: Hunk[] = [];
  for (let i = 0, j = 0; i < a.length || j < b.length; ) {
    if (gone[i] !== 1 && come[j] !== 1) {
      i++;
      j++;
      continue;
    }
    const [from, start] = [i, j];
    while (gone[i] === 1) i++;
    while (come[j] === 1) j++;
    hunks.push({ from, to: i, start, end: j });
  }
  return slid(a, b, hunks);
}

/** Marks what is not common: recursively, on both sides of the middle of a shortest path. */
function mark(a: Int32Array, b: Int32Array, fromA: number, toA: number, fromB: number, toB: number, gone: Uint8Array, come: Uint8Array): void {
  let [i, j, m, n] = [fromA, fromB, toA, toB];
  while (i < m && j < n && a[i] === b[j]) {
    i++;
    j++;
  }
  while (i < m && j < n && a[m - 1] === b[n - 1]) {
    m--;
    n--;
  }
  if (i === m) come.fill(1, j, n);
  else if (j === n) gone.fill(1, i, m);
  else {
    const [x, y] = middle(a, b, i, m, j, n);
    mark(a, b, i, x, j, y, gone, come);
    mark(a, b, x, m, y, n, gone, come);
  }
}

/** A point that a shortest path from (i, j) to (m, n) goes through: where a search from each end meets the other. */
function middle(a: Int32Array, b: Int32Array, i: number, m: number, j: number, n: number): readonly [number, number] {
  const size = m - i + (n - j) + 3;
  const delta = m - i - (n - j);
  const isOdd = (delta & 1) !== 0;
  const forward = new Int32Array(2 * size).fill(-1);
  const backward = new Int32Array(2 * size).fill(m + 1);
  forward[size + 1] = i;
  backward[size - 1] = m;
  for (let d = 0; ; d++) {
    for (let k = -d; k <= d; k += 2) {
      const down = k === -d || (k !== d && (forward[size + k - 1] ?? 0) < (forward[size + k + 1] ?? 0));
      let x = down ? (forward[size + k + 1] ?? 0) : (forward[size + k - 1] ?? 0) + 1;
      let y = x - i - k + j;
      while (x < m && y < n && y >= j && a[x] === b[y]) {
        x++;
        y++;
      }
      forward[size + k] = x;
      const back = k - delta;
      if (isOdd && back >= -(d - 1) && back <= d - 1 && x >= (backward[size + back] ?? 0) && x <= m && y <= n) return [x, y];
    }
    for (let k = -d; k <= d; k += 2) {
      const up = k === d || (k !== -d && (backward[size + k - 1] ?? 0) < (backward[size + k + 1] ?? 0));
      let x = up ? (backward[size + k - 1] ?? 0) : (backward[size + k + 1] ?? 0) - 1;
      let y = x - m - k + n;
      while (x > i && y > j && y <= n && a[x - 1] === b[y - 1]) {
        x--;
        y--;
      }
      backward[size + k] = x;
      const ahead = k + delta;
      if (!isOdd && ahead >= -d && ahead <= d && (forward[size + ahead] ?? 0) >= x && x >= i && y >= j) return [x, y];
    }
  }
}

/** Where lines only came or only went and could as well a little later, they do: as GNU's diff puts it. */
function slid(a: Int32Array, b: Int32Array, hunks: readonly Hunk[]): Hunk[] {
  const out: Hunk[] = [];
  for (let k = 0; k < hunks.length; k++) {
    let hunk = hunks[k];
    if (!hunk) break;
    const next = hunks[k + 1];
    const [limitA, limitB] = next ? [next.from, next.start] : [a.length, b.length];
    const [lines, first, last] = hunk.from < hunk.to ? [a, hunk.from, hunk.to] : [b, hunk.start, hunk.end];
    let by = 0;
    if (hunk.from === hunk.to || hunk.start === hunk.end) while (hunk.to + by < limitA && hunk.end + by < limitB && lines[first + by] === lines[last + by]) by++;
    hunk = { from: hunk.from + by, to: hunk.to + by, start: hunk.start + by, end: hunk.end + by };
    const before = out.at(-1);
    if (before && before.to === hunk.from && before.end === hunk.start) out[out.length - 1] = { ...before, to: hunk.to, end: hunk.end };
    else out.push(hunk);
  }
  return out;
}
