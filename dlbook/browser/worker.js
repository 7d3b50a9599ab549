// Training beside the page: in a worker, or, where the browser gives none, on the page in short slices.
import { training } from "./training.js";

// Answers { type: "start", setup, train, test, change, steps, every }, "go", "pause", "step" and "reset" by `post`: a report
// for each step, with the test accuracy at every so many. A slice lasts some milliseconds; between two, messages come in.
export function conductor(post, slice) {
  let run = null, message = {}, step = 0, going = false, timer = 0;
  const one = () => {
    const report = run.step();
    step = report.step;
    if (step % message.every === 0 || step === message.steps) report.test = run.evaluate(message.most);
    post({ type: "step", ...report });
    going &&= step < message.steps;
  };
  const work = () => {
    const until = performance.now() + slice;
    while (going && performance.now() < until) one();
    if (going) timer = setTimeout(work);
    else post({ type: "rests", step, done: step >= message.steps });
  };
  const begin = () => { run = training(message.setup, message.train, message.test, message.change); step = 0; };
  return (asked) => {
    clearTimeout(timer);
    try {
      if (asked.type === "start") { message = asked; begin(); }
      if (asked.type === "reset") begin();
      going = asked.type === "go" && step < message.steps;
      if (asked.type === "step" && step < message.steps) one();
      work();
    } catch (error) { going = false; post({ type: "error", text: String(error) }); }
  };
}

// Start the engine in a worker made of its own text. `receive` gets what conductor posts.
export function connect(engine, receive) {
  let here = null, worker = null;
  const sent = [];
  const onPage = () => { worker = null; here = conductor(receive, 12); sent.forEach(here); };
  try {
    const address = URL.createObjectURL(new Blob([`const { conductor } = (${engine})(); onmessage = ({ data }) => answer(data); const answer = conductor(postMessage, 60);`]));
    worker = new Worker(address);
    worker.onmessage = ({ data }) => { sent.length = 0; receive(data); };
    worker.onerror = (event) => { event.preventDefault?.(); if (worker && sent.length) onPage(); };
  } catch { onPage(); }
  return {
    send(message) { if (here) here(message); else { sent.push(message); worker.postMessage(message); } },
    end() { worker?.terminate(); here?.({ type: "pause" }); },
    where: () => (worker ? "worker" : "page"),
  };
}
