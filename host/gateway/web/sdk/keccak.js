// keccak.js: Keccak-256 as Ethereum uses it (the padding of the Keccak submission, 0x01), because browsers have none. Lanes are pairs of 32-bit halves.
const ROUNDS = 24, RATE = 136;
const ROTATIONS = [], LANES = [], CONSTANTS = [];

// The step's tables, from their definition: rho and pi walk the plane, iota comes from a shift register.
for (let round = 0, x = 1, y = 0, register = 1; round < ROUNDS; round++) {
  [x, y] = [y, (2 * x + 3 * y) % 5];
  LANES.push(x + 5 * y);
  ROTATIONS.push(((round + 1) * (round + 2) / 2) % 64);
  let low = 0, high = 0;
  for (let j = 0; j < 7; j++) {
    const bit = (1 << j) - 1;
    if (register & 1) { if (bit < 32) low |= 1 << bit; else high |= 1 << (bit - 32); }
    register = register & 0x80 ? ((register << 1) ^ 0x171) & 0xff : register << 1;
  }
  CONSTANTS.push([low, high]);
}

const rotate = (low, high, n) => (n === 0 ? [low, high] : n < 32 ? [(low << n) | (high >>> (32 - n)), (high << n) | (low >>> (32 - n))]
  : n === 32 ? [high, low] : [(high << (n - 32)) | (low >>> (64 - n)), (low << (n - 32)) | (high >>> (64 - n))]);

/** @param {Int32Array} s 25 lanes, low half first */
function permute(s) {
  const column = new Int32Array(10), row = new Int32Array(10);
  for (const [iotaLow, iotaHigh] of CONSTANTS) {
    for (let x = 0; x < 10; x++) column[x] = s[x] ^ s[x + 10] ^ s[x + 20] ^ s[x + 30] ^ s[x + 40];
    for (let x = 0; x < 5; x++) {
      const after = 2 * ((x + 1) % 5), before = 2 * ((x + 4) % 5), [low, high] = rotate(column[after], column[after + 1], 1);
      for (let y = 0; y < 50; y += 10) { s[2 * x + y] ^= column[before] ^ low; s[2 * x + y + 1] ^= column[before + 1] ^ high; }
    }
    let low = s[2], high = s[3];
    for (let i = 0; i < 24; i++) {
      const at = 2 * LANES[i], nextLow = s[at], nextHigh = s[at + 1];
      [s[at], s[at + 1]] = rotate(low, high, ROTATIONS[i]);
      [low, high] = [nextLow, nextHigh];
    }
    for (let y = 0; y < 50; y += 10) {
      for (let x = 0; x < 10; x++) row[x] = s[y + x];
      for (let x = 0; x < 10; x++) s[y + x] = row[x] ^ (~row[(x + 2) % 10] & row[(x + 4) % 10]);
    }
    s[0] ^= iotaLow;
    s[1] ^= iotaHigh;
  }
}

/** @param {Uint8Array} bytes @returns {Uint8Array} 32 bytes */
export function keccak256(bytes) {
  const state = new Int32Array(50), padded = new Uint8Array(Math.floor(bytes.length / RATE + 1) * RATE);
  padded.set(bytes);
  padded[bytes.length] ^= 0x01;
  padded[padded.length - 1] ^= 0x80;
  const words = new DataView(padded.buffer);
  for (let at = 0; at < padded.length; at += RATE) {
    for (let i = 0; i < RATE / 4; i++) state[i] ^= words.getInt32(at + 4 * i, true);
    permute(state);
  }
  const out = new DataView(new ArrayBuffer(32));
  for (let i = 0; i < 8; i++) out.setInt32(4 * i, state[i], true);
  return new Uint8Array(out.buffer);
}
