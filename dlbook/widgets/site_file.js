// A file of the site that a figure asks for when it is wanted: on the site a script beside the page, in a notebook a message from the kernel.
import { inflatedBytes } from "./controls.js";

const hex = (bytes) => Array.from(new Uint8Array(bytes), (byte) => byte.toString(16).padStart(2, "0")).join("");

// Its text. A script, for a page that was opened as a file may load one, but may not fetch; it sets `globalThis[variable]`.
function text(model, { name, variable, words }) {
  const root = document.documentElement.dataset.content_root;
  return new Promise((done, fail) => {
    const none = () => fail(new Error(`The ${words} could not be loaded. They are the file _static/${name}.js of this site.`));
    if (globalThis[variable]) done(globalThis[variable]);
    else if (root === undefined) {
      setTimeout(none, 8000);
      model.on("msg:custom", (message) => { if (message[name]) done(message[name]); });
      model.send({ ask: name });
    } else {
      const script = document.createElement("script");
      script.onload = () => (globalThis[variable] ? done(globalThis[variable]) : none());
      script.onerror = none;
      script.src = `${root}_static/${name}.js`;
      document.head.append(script);
    }
  });
}

// Its bytes, once they are known to be those that the figure was made with; `file` also says their sha256 and their count.
export async function siteFile(model, file) {
  const bytes = await inflatedBytes(await text(model, file));
  // a page without a secure address has no crypto.subtle: there only the count is known
  if (bytes.length !== file.count || (crypto.subtle && hex(await crypto.subtle.digest("SHA-256", bytes)) !== file.sha256)) throw new Error(`The ${file.words} are not those that this figure was made with.`);
  return bytes;
}
