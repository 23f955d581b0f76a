/** Both colour schemes, any width, nothing from a network. */
export const STYLE = `
:root { color-scheme: light dark; --text: #1b1f24; --dim: #5b6470; --line: #d5dae0; --back: #fff; --soft: #f4f6f8; --good: #0f7b3e; --bad: #c0262d; --path: #1f5fc4; }
@media (prefers-color-scheme: dark) {
  :root { --text: #e4e8ed; --dim: #9aa5b1; --line: #3a424c; --back: #14181d; --soft: #1d2329; --good: #58c98a; --bad: #ff8a85; --path: #7fb0ff; }
}
* { box-sizing: border-box; }
body { margin: 0 auto; padding: 1.5rem 1rem 4rem; max-width: 70rem; font: 16px/1.5 system-ui, sans-serif; color: var(--text); background: var(--back); overflow-wrap: anywhere; }
h1 { font-size: 1.6rem; line-height: 1.25; margin: 0; }
h2 { font-size: 1.15rem; margin: 2.2rem 0 .6rem; }
h3 { font-size: 1rem; margin: 1.2rem 0 .4rem; }
p { margin: .4rem 0; }
p, li, td, summary, h1, h3, pre { unicode-bidi: plaintext; text-align: start; }
.dim { color: var(--dim); }
.good { color: var(--good); font-weight: 600; }
.bad { color: var(--bad); font-weight: 600; }
.wide { overflow-x: auto; }
table { border-collapse: collapse; width: 100%; font-size: .92rem; }
th, td { text-align: left; vertical-align: top; overflow-wrap: normal; padding: .3rem .8rem .3rem 0; border-bottom: 1px solid var(--line); }
th { font-weight: 600; color: var(--dim); }
td.number { text-align: right; font-variant-numeric: tabular-nums; white-space: nowrap; }
pre, code { font: .85rem/1.45 ui-monospace, monospace; }
td code { overflow-wrap: anywhere; }
pre { margin: .3rem 0; padding: .7rem .9rem; background: var(--soft); border: 1px solid var(--line); border-radius: 6px; overflow: auto; max-height: 28rem; }
pre.error, pre.text { white-space: pre-wrap; }
details { margin: .4rem 0; }
summary { cursor: pointer; }
svg { display: block; max-width: 100%; height: auto; }
.row { display: grid; grid-template-columns: 15rem 1fr; align-items: center; font-size: .85rem; line-height: 1.65rem; }
.track { display: flex; align-items: center; gap: .4rem; white-space: nowrap; }
.bar { flex: none; height: 1rem; min-width: 2px; border-radius: 3px; background: var(--path); }
.bar.good { background: var(--good); } .bar.bad { background: var(--bad); }
.added { color: var(--good); } .removed { color: var(--bad); }
@media (max-width: 40rem) {
  table { font-size: .8rem; }
  .row { grid-template-columns: 1fr; margin-bottom: .3rem; line-height: 1.3; }
  svg text { font-size: 17px; }
}
`;
