// Sets formulas with MathJax, outside a browser. In, on stdin: {"mathjax": folder, "fonts": address of its fonts,
// "formulas": [[TeX, whether it is displayed], ...]}. Out, on stdout: {"set": [HTML, ...], "style": what they need}.
// Every formula carries its MathML too, which is what a screen reader reads.
const { mathjax, fonts, formulas } = JSON.parse(require("fs").readFileSync(0, "utf8"));

require(`${mathjax}/node-main.js`).init({
  loader: { paths: { mathjax }, load: ["input/tex", "output/chtml", "adaptors/liteDOM", "a11y/assistive-mml"], versionWarnings: false },
  tex: { packages: { "[-]": ["noundefined"] } },  // a command that does not exist is an error, not red text
  chtml: { fontURL: fonts, matchFontHeight: false },
}).then(async (MathJax) => {
  const { adaptor } = MathJax.startup;
  const set = [];
  for (const [tex, display] of formulas) set.push(adaptor.outerHTML(await MathJax.tex2chtmlPromise(tex, { display })));
  process.stdout.write(JSON.stringify({ set, style: adaptor.textContent(MathJax.chtmlStylesheet()) }));
}).catch((error) => { console.error(error); process.exit(1); });
