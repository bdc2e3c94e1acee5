/** The style sheet of the report page: dense, with the reader's own fonts, light or dark as the reader's system is. */
export const STYLE = `
:root {
  color-scheme: light dark;
  --paper: #ffffff; --raised: #f5f6f8; --line: #dcdfe4; --faint: #eceef1;
  --ink: #16191d; --soft: #59616b; --link: #0b57c2;
  --good: #14713a; --bad: #b3201b; --bad-paper: #fdeeed; --good-paper: #e9f6ee;
  --bar: #3b7ddd; --far: #d0701f; --warn: #a84a08; --focus: #0b57c2;
}
@media (prefers-color-scheme: dark) {
  :root {
    --paper: #14171b; --raised: #1c2026; --line: #343a43; --faint: #262b32;
    --ink: #e4e7eb; --soft: #9aa4b0; --link: #7cb0ff;
    --good: #5fce8c; --bad: #ff8a80; --bad-paper: #35201f; --good-paper: #17301f;
    --bar: #5b94e6; --far: #e08a45; --warn: #f0a060; --focus: #7cb0ff;
  }
}
* { box-sizing: border-box; }
body {
  margin: 0; padding: 20px 24px 12px; background: var(--paper); color: var(--ink);
  font: 13px/1.45 system-ui, -apple-system, "Segoe UI", Roboto, "Helvetica Neue", Arial, sans-serif;
}
h1 { font-size: 20px; line-height: 1.25; margin: 0 0 8px; font-weight: 650; overflow-wrap: anywhere; }
h2 { font-size: 15px; margin: 26px 0 8px; font-weight: 650; }
p { margin: 0 0 8px; max-width: 100ch; }
a { color: var(--link); text-decoration: none; }
a:hover { text-decoration: underline; }
:focus-visible { outline: 2px solid var(--focus); outline-offset: 1px; }
.soft { color: var(--soft); }
.good { color: var(--good); }
.bad { color: var(--bad); }
.verdict {
  display: inline-block; max-width: none; padding: 5px 11px; border-radius: 4px; border-left: 4px solid; font-size: 14px;
}
.verdict.good { background: var(--good-paper); }
.verdict.bad { background: var(--bad-paper); }
.facts { display: grid; grid-template-columns: max-content 1fr; gap: 1px 14px; margin: 4px 0 0; }
.facts dt { color: var(--soft); }
.facts dd { margin: 0; overflow-wrap: anywhere; white-space: pre-line; }
.faults { margin: 0; padding: 0; list-style: none; }
.faults li { padding: 3px 0 3px 10px; border-left: 3px solid var(--bad); margin-bottom: 4px; overflow-wrap: anywhere; }
.faults .note { display: block; }

table { border-collapse: collapse; font-variant-numeric: tabular-nums; }
th { text-align: left; font-weight: 600; color: var(--soft); }
td, th { padding: 2px 8px; vertical-align: top; }
.number { text-align: right; }
.scroll { overflow-x: auto; }
.summary { border-top: 1px solid var(--line); }
.summary td, .summary th { border-bottom: 1px solid var(--faint); white-space: nowrap; padding: 3px 14px 3px 0; }
.summary td:last-child, .summary th:last-child { padding-right: 0; }
.summary thead th { border-bottom-color: var(--line); vertical-align: bottom; }
.summary tbody th { color: var(--ink); }
.summary small { display: block; color: var(--soft); font-size: 11.5px; }
.summary .worst small { max-width: 36ch; overflow: hidden; text-overflow: ellipsis; }

.figures { display: grid; grid-template-columns: repeat(auto-fill, minmax(min(400px, 100%), 1fr)); gap: 14px 24px; }
figure { margin: 0; max-width: 560px; }
figcaption { color: var(--soft); }
figcaption b { color: var(--ink); margin-right: 4px; }
svg { display: block; width: 100%; height: auto; }
svg text { font: 10px system-ui, sans-serif; fill: var(--soft); text-anchor: middle; font-variant-numeric: tabular-nums; }
svg text.right { text-anchor: end; }
.grid { stroke: var(--faint); fill: none; }
.mark { stroke: var(--soft); fill: none; stroke-dasharray: 3 2; }
.bar { fill: var(--bar); }
.far { fill: var(--far); }
.bar:hover { fill: var(--ink); }

form { display: flex; flex-wrap: wrap; gap: 6px 12px; align-items: end; margin-bottom: 6px; }
form[hidden] { display: none; }
form label { display: flex; flex-direction: column; gap: 1px; color: var(--soft); font-size: 12px; }
form label.tick { flex-direction: row; gap: 5px; align-items: center; color: var(--ink); padding-bottom: 4px; }
form label.words { flex: 1 1 200px; max-width: 420px; }
input[type=search], select, button {
  font: inherit; font-size: 13px; color: var(--ink); background: var(--raised); border: 1px solid var(--line);
  border-radius: 4px; padding: 3px 6px; min-height: 26px;
}
input[type=search] { width: 100%; }
select { max-width: 190px; }
button { cursor: pointer; }
button:hover { border-color: var(--soft); }
.counts { display: flex; flex-wrap: wrap; gap: 4px 14px; align-items: baseline; margin: 0 0 4px; max-width: none; }

.box { overflow: auto; max-height: calc(100vh - 150px); min-height: 180px; border: 1px solid var(--line); border-radius: 4px; }
.box table { table-layout: fixed; width: 100%; min-width: 1240px; font-size: 12px; border-collapse: separate; border-spacing: 0; }
.box thead th { position: sticky; top: 0; z-index: 1; background: var(--raised); border-bottom: 1px solid var(--line); padding: 0; }
.box thead button {
  width: 100%; border: 0; border-radius: 0; background: none; padding: 4px 7px; text-align: inherit; font-size: 12px;
  font-weight: 600; color: inherit; white-space: nowrap;
}
.box thead button:focus-visible { outline-offset: -2px; }
.box th[aria-sort] { color: var(--ink); }
.box th[aria-sort=ascending] button::after { content: " ▲"; }
.box th[aria-sort=descending] button::after { content: " ▼"; }
.box td { padding: 2px 7px; border-bottom: 1px solid var(--faint); overflow-wrap: anywhere; }
.box td.number { white-space: nowrap; }
.box tr.noted td { border-bottom: 0; }
.box tr.note td { padding: 0 8px 4px 24px; }
.box .note span { position: sticky; left: 24px; display: inline-block; max-width: calc(100vw - 90px); }
.box tbody tr:hover td { background: var(--raised); }
.box .wrong td:last-child, .box .note td { color: var(--bad); }
.box .far-off { color: var(--warn); font-weight: 600; }
.of { font-weight: 600; }
.nothing { padding: 14px; }
@media (max-width: 700px) {
  body { padding: 14px 12px; }
  .box { max-height: calc(100vh - 40px); }
}
@media print {
  form, .more { display: none; }
  .box { max-height: none; overflow: visible; }
}
`;
