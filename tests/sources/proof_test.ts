import { assertEquals } from "@std/assert";
import { verifyBearer, verifySignature } from "../../lib/sources/proof.ts";

const ONE = "example-signing-secret-one";
const TWO = "example-signing-secret-two";
const BODY =
  '{"event":{"id":"01EXAMPLEEVENT0000000000000","event_type":"incident.triggered","resource_type":"incident","occurred_at":"2026-01-15T09:30:00.123Z","agent":null,"client":null,"data":{"id":"PEXAMPLE1","type":"incident","title":"Checkout latency above 2s"}}}';
const BY_ONE =
  "v1=c97819e7b6e7d10905bfa92865d655bca15bd96d5af4f5dd4a04e4a464224365";
const BY_TWO =
  "v1=6be25e0d73550a86709245ec6635a97ab28bd45473aa40fa2c1331814239ba88";
const WRONG = `v1=${"0".repeat(64)}`;
const UTF8_BODY = '{"event":{"data":{"title":"Zażółć – ☃"}}}';
const UTF8_BY_ONE =
  "v1=c68822c9e274130a79abf9558c964e11f912ea5220aad8e495a8c2750db54320";

const bytesOf = (text: string) => new TextEncoder().encode(text);

const SIGNED: [
  what: string,
  header: string | null,
  secrets: string[],
  valid: boolean,
][] = [
  ["the first vector", BY_ONE, [ONE], true],
  ["the second vector", BY_TWO, [TWO], true],
  ["both, knowing the first secret", `${BY_ONE},${BY_TWO}`, [ONE], true],
  ["both, knowing the second secret", `${BY_ONE},${BY_TWO}`, [TWO], true],
  ["one, knowing both secrets", BY_TWO, [ONE, TWO], true],
  ["one that is the second secret's", BY_ONE, [TWO, ONE], true],
  ["a right one after a wrong one", `${WRONG},${BY_ONE}`, [ONE], true],
  ["a right one before a wrong one", `${BY_ONE},${WRONG}`, [ONE], true],
  ["a right one among other versions", `v2=x,,=,${BY_ONE},v1=`, [ONE], true],
  [
    "a right one as the 10th",
    `${`${WRONG},`.repeat(9)}${BY_ONE}`,
    [ONE],
    true,
  ],
  [
    "a right one as the 11th",
    `${`${WRONG},`.repeat(10)}${BY_ONE}`,
    [ONE],
    false,
  ],
  [
    "a right one in 4096 characters",
    `${BY_ONE},${"x".repeat(4096 - 68)}`,
    [ONE],
    true,
  ],
  [
    "a right one in 4097 characters",
    `${BY_ONE},${"x".repeat(4097 - 68)}`,
    [ONE],
    false,
  ],
  ["no header", null, [ONE], false],
  ["an empty header", "", [ONE], false],
  ["another secret's", BY_ONE, [TWO], false],
  ["no secret", BY_ONE, [], false],
  ["another version's name", BY_ONE.replace("v1", "v0"), [ONE], false],
  ["upper-case digits", `v1=${BY_ONE.slice(3).toUpperCase()}`, [ONE], false],
  ["a blank in front", ` ${BY_ONE}`, [ONE], false],
  ["a blank after the comma", `${WRONG}, ${BY_ONE}`, [ONE], false],
  ["a line break behind", `${BY_ONE}\n`, [ONE], false],
  ["one digit too few", BY_ONE.slice(0, -1), [ONE], false],
  ["one digit too many", `${BY_ONE}5`, [ONE], false],
  ["the first digit wrong", BY_ONE.replace("v1=c", "v1=d"), [ONE], false],
  ["the last digit wrong", BY_ONE.replace(/5$/, "4"), [ONE], false],
  ["no digits", "v1=", [ONE], false],
  ["what is no hex", `v1=${"g".repeat(64)}`, [ONE], false],
  ["characters beyond ASCII", `v1=${"é".repeat(64)}`, [ONE], false],
];
for (const [what, header, secrets, valid] of SIGNED) {
  Deno.test(`verifySignature() ${valid ? "accepts" : "refuses"} ${what}`, () => {
    assertEquals(verifySignature(header, secrets, bytesOf(BODY)), valid);
  });
}

Deno.test("verifySignature() signs the bytes, not what they mean", () => {
  assertEquals(
    verifySignature(UTF8_BY_ONE, [ONE], bytesOf(UTF8_BODY)),
    true,
  );
  const escaped = JSON.stringify(JSON.parse(UTF8_BODY)).replace("ż", "\\u017c");
  for (const body of [escaped, `${UTF8_BODY}\n`, ` ${UTF8_BODY}`, ""]) {
    assertEquals(
      verifySignature(UTF8_BY_ONE, [ONE], bytesOf(body)),
      false,
    );
  }
});

Deno.test("verifySignature() signs only the part of a buffer that it is given", () => {
  const bytes = bytesOf(`  ${BODY}  `).subarray(2, -2);
  assertEquals(verifySignature(BY_ONE, [ONE], bytes), true);
});

Deno.test("verifySignature() never takes an empty secret, with which anybody signs", () => {
  // HMAC-SHA256 of nothing under a key of nothing.
  const header =
    "v1=b613679a0814d9ec772f95d778c35fc5ff1697c493715653c6c712144292c5ad";
  assertEquals(verifySignature(header, [""], bytesOf("")), false);
  assertEquals(verifySignature(BY_ONE, ["", ONE], bytesOf(BODY)), true);
});

const BEARERS: [
  what: string,
  header: string | null,
  tokens: string[],
  valid: boolean,
][] = [
  ["the token", "Bearer t0ken-one", ["t0ken-one"], true],
  ["the second of two", "Bearer two", ["one", "two"], true],
  ["the first of two", "Bearer one", ["one", "two"], true],
  ["the scheme in any case", "bEARER one", ["one"], true],
  ["more than one blank", "Bearer   one", ["one"], true],
  [
    "4096 characters",
    `Bearer ${"x".repeat(4096 - 7)}`,
    ["x".repeat(4096 - 7)],
    true,
  ],
  [
    "4097 characters",
    `Bearer ${"x".repeat(4097 - 7)}`,
    ["x".repeat(4097 - 7)],
    false,
  ],
  ["no header", null, ["one"], false],
  ["an empty header", "", ["one"], false],
  ["no tokens", "Bearer one", [], false],
  ["an empty token", "Bearer ", [""], false],
  ["nothing against an empty token", "Bearer one", [""], false],
  ["the token alone", "one", ["one"], false],
  ["another scheme", "Basic one", ["one"], false],
  ["a scheme that begins alike", "BearerX one", ["one"], false],
  ["no blank", "Bearerone", ["one"], false],
  ["the beginning of the token", "Bearer on", ["one"], false],
  ["the token and more", "Bearer onee", ["one"], false],
  ["the token in another case", "Bearer ONE", ["one"], false],
  ["two tokens", "Bearer one two", ["one", "two"], false],
  ["a list of tokens", "Bearer one,two", ["one", "two"], false],
  ["characters beyond ASCII", "Bearer é", ["é"], false],
];
for (const [what, header, tokens, valid] of BEARERS) {
  Deno.test(`verifyBearer() ${valid ? "accepts" : "refuses"} ${what}`, () => {
    assertEquals(verifyBearer(header, tokens), valid);
  });
}
