// What the pages share.

// The server, at another origin than the page's.
const server = `http://127.0.0.1:${location.port}`;

const signed = {
  "Authorization": "AWS4-HMAC-SHA256 Credential=a/20260301/us-east-1/dynamodb/aws4_request, SignedHeaders=host, Signature=0",
  "X-Amz-Date": "20260301T000000Z",
};

// Commands that harm; the last two make the same text out of a form's field, whose name and value a browser joins with `=`.
const commands = [
  ["reset", '{"table":"Orders"}', '{"table":"', '","table":"Orders"}'],
  ["clock/advance", '{"duration":"25h"}', '{"duration":"', '","duration":"25h"}'],
  ["snapshots/save", '{"file":"page.db"}', '{"file":"', '","file":"page.db"}'],
  ["faults/add", '{"kind":"throttling"}', '{"kind":"', '","kind":"throttling"}'],
];

// How many requests the server has answered.
async function seen() {
  return Number(await (await fetch("/attack/seen", { cache: "no-store" })).text());
}

// Does something whose answers a page does not get, and waits until the server has answered as many requests.
async function until_answered(count, act) {
  const before = await seen();
  await act();
  while (await seen() < before + count) {
    await new Promise(resolve => setTimeout(resolve, 50));
  }
}

// Sends a request, and does not mind if the browser says no.
async function send(url, options) {
  try {
    return await fetch(url, options);
  } catch {
    return null;
  }
}

function report(what) {
  return fetch("/attack/report", { method: "POST", body: JSON.stringify(what) });
}
