"""The style of the view: one small sheet, no script, no font and no image from elsewhere."""

from __future__ import annotations

import re

__all__ = ("STYLE",)

# Colours come from the front end where it names them: JupyterLab and nbconvert (`--jp-*`), VS Code
# (`--vscode-*`), the Furo theme of the documentation (`--color-*`); else from light or dark.
_SHEET = """
.asc{
--asc-fg:var(--jp-content-font-color1,var(--vscode-editor-foreground,var(--color-foreground-primary,#1f2328)));
--asc-dim:var(--jp-content-font-color2,var(--vscode-descriptionForeground,var(--color-foreground-muted,#667080)));
--asc-bg:var(--jp-layout-color0,var(--vscode-editor-background,var(--color-background-primary,#fff)));
--asc-line:color-mix(in srgb,var(--asc-fg) 14%,transparent);
--asc-soft:color-mix(in srgb,var(--asc-fg) 4.5%,transparent);
--asc-link:var(--jp-content-link-color,var(--vscode-textLink-foreground,var(--color-link,#0b57d0)));
--asc-accent:#3b6fd4;--asc-good:#1a7f4b;--asc-bad:#c2352b;--asc-warn:#9a6700;
--asc-mono:var(--jp-code-font-family,ui-monospace,SFMono-Regular,Menlo,Consolas,monospace);
font:400 14px/1.6 var(--jp-content-font-family,system-ui,-apple-system,"Segoe UI",sans-serif);
color:var(--asc-fg);max-width:50rem;padding:2px 0 4px;overflow-wrap:anywhere}
@media (prefers-color-scheme:dark){.asc{
--asc-fg:var(--jp-content-font-color1,var(--vscode-editor-foreground,var(--color-foreground-primary,#e4e7eb)));
--asc-dim:var(--jp-content-font-color2,var(--vscode-descriptionForeground,var(--color-foreground-muted,#98a2b0)));
--asc-bg:var(--jp-layout-color0,var(--vscode-editor-background,var(--color-background-primary,#16181c)));
--asc-link:var(--jp-content-link-color,var(--vscode-textLink-foreground,var(--color-link,#8ab4f8)));
--asc-accent:#84a9f0;--asc-good:#5ec48f;--asc-bad:#f08379;--asc-warn:#d9a441}}
[data-jp-theme-light="true"] .asc,.vscode-light .asc,[data-theme="light"] .asc{
--asc-accent:#3b6fd4;--asc-good:#1a7f4b;--asc-bad:#c2352b;--asc-warn:#9a6700}
[data-jp-theme-light="false"] .asc,.vscode-dark .asc,[data-theme="dark"] .asc{
--asc-accent:#84a9f0;--asc-good:#5ec48f;--asc-bad:#f08379;--asc-warn:#d9a441}
.asc *{box-sizing:border-box}
.asc p,.asc ul,.asc ol,.asc pre,.asc table,.asc blockquote{margin:0 0 .7em}
.asc p:last-child,.asc ul:last-child,.asc ol:last-child,.asc pre:last-child{margin-bottom:0}
.asc h1,.asc h2,.asc h3,.asc h4,.asc h5,.asc h6{font-size:1.08em;line-height:1.4;font-weight:650;
margin:1.1em 0 .4em;padding:0;border:0;letter-spacing:-.005em}
.asc h1{font-size:1.28em}.asc h2{font-size:1.16em}
.asc ul,.asc ol{padding-left:1.5em}.asc li{margin:.15em 0}
.asc a{color:var(--asc-link);text-decoration:underline;text-decoration-thickness:1px;
text-underline-offset:2px}
.asc code,.asc pre{font-family:var(--asc-mono);font-size:12.5px;color:inherit;white-space:pre-wrap}
.asc :not(pre)>code{background:var(--asc-soft);border-radius:4px;padding:.1em .32em}
.asc pre{background:var(--asc-soft);border-radius:8px;padding:9px 12px;line-height:1.5;
max-height:26em;overflow:auto}
.asc pre code{background:none;padding:0}
.asc table{border-collapse:collapse;font-size:13px;margin-left:0;color:inherit}
.asc th,.asc td{border:0;border-bottom:1px solid var(--asc-line);padding:4px 12px 4px 0;
text-align:left;background:none}
.asc blockquote{border-left:2px solid var(--asc-line);padding-left:12px;color:var(--asc-dim)}
.asc hr{border:0;border-top:1px solid var(--asc-line);margin:1em 0}
.asc summary{cursor:pointer;list-style:none}
.asc summary::-webkit-details-marker{display:none}
.asc summary:focus-visible{outline:2px solid var(--asc-accent);outline-offset:2px;border-radius:6px}
.asc-part{margin:0 0 10px}
.asc-head,.asc-foot{display:flex;flex-wrap:wrap;gap:2px 14px;align-items:baseline;
font-size:12px;color:var(--asc-dim);font-variant-numeric:tabular-nums}
.asc-head{margin-bottom:8px}
.asc-status{font-weight:600;color:var(--asc-good)}
.asc-status::before{content:"";display:inline-block;width:7px;height:7px;border-radius:50%;
background:currentColor;margin-right:7px;vertical-align:1px}
.asc-status.asc-running{color:var(--asc-accent)}.asc-status.asc-failed{color:var(--asc-bad)}
.asc-status.asc-waiting{color:var(--asc-warn)}
.asc-running::before,.asc-caret{animation:asc-pulse 1.2s ease-in-out infinite}
@keyframes asc-pulse{50%{opacity:.25}}
@media (prefers-reduced-motion:reduce){.asc-running::before,.asc-caret{animation:none}}
.asc-caret{display:inline-block;width:.5em;height:1em;vertical-align:-.12em;border-radius:2px;
background:var(--asc-accent)}
.asc-fold>summary,.asc-thought>summary{font-size:13px;color:var(--asc-dim)}
.asc-fold>summary::before,.asc-thought>summary::before,.asc-tree summary::before{content:"▸";
display:inline-block;width:1.15em;color:var(--asc-dim);font-size:.85em}
.asc-fold[open]>summary::before,.asc-thought[open]>summary::before,
.asc-tree details[open]>summary::before{content:"▾"}
.asc-thought>div{border-left:2px solid var(--asc-line);margin:4px 0 0 5px;padding-left:14px;
color:var(--asc-dim);font-size:13px}
.asc-fold>div,.asc-fold>pre{margin-top:6px}
.asc-card{border:1px solid var(--asc-line);border-radius:10px;background:var(--asc-bg)}
.asc-card>summary{display:flex;gap:10px;align-items:baseline;padding:7px 12px;min-width:0}
.asc-card>summary>b{font:600 12.5px/1.6 var(--asc-mono);flex:none;max-width:60%}
.asc-card .asc-brief{color:var(--asc-dim);font-size:12.5px;flex:1;min-width:0;overflow:hidden;
text-overflow:ellipsis;white-space:nowrap}
.asc-state{font-size:12px;color:var(--asc-dim);flex:none;font-variant-numeric:tabular-nums}
.asc-state.asc-good::before{content:"✓ ";color:var(--asc-good)}
.asc-state.asc-bad{color:var(--asc-bad);font-weight:600}
.asc-state.asc-warn{color:var(--asc-warn);font-weight:600}
.asc-state.asc-busy{color:var(--asc-accent)}
.asc-body{border-top:1px solid var(--asc-line);padding:9px 12px 11px}
.asc-label{font-size:11px;font-weight:600;color:var(--asc-dim);margin:9px 0 3px}
.asc-body>.asc-label:first-child{margin-top:0}
.asc-error,.asc-ask{border:1px solid color-mix(in srgb,var(--asc-bad) 40%,transparent);
background:color-mix(in srgb,var(--asc-bad) 7%,transparent);border-radius:10px;padding:8px 12px}
.asc-error b{color:var(--asc-bad)}
.asc-ask{border-color:color-mix(in srgb,var(--asc-warn) 45%,transparent);
background:color-mix(in srgb,var(--asc-warn) 7%,transparent)}
.asc-ask b{color:var(--asc-warn)}
.asc-sources{display:flex;flex-wrap:wrap;gap:6px;padding:0;list-style:none}
.asc ul.asc-sources{padding:0}
.asc-sources li{margin:0;border:1px solid var(--asc-line);border-radius:999px;padding:1px 10px;
font-size:12.5px;max-width:100%}
.asc-sources a{text-decoration:none}
.asc-sources i{font-style:normal;color:var(--asc-dim);margin-right:6px;
font-variant-numeric:tabular-nums}
.asc-image{max-width:min(100%,32rem);max-height:28rem;border-radius:8px;display:block}
.asc ul.asc-tree{list-style:none;color:var(--asc-fg);margin:0;padding-left:14px;
font-size:12.5px;line-height:1.55}
.asc .asc-tree .asc-tree{margin-left:3px;border-left:1px solid var(--asc-line)}
.asc>div>ul.asc-tree,.asc-body>ul.asc-tree,.asc-fold>div>ul.asc-tree{padding-left:0}
.asc-tree li{margin:0;padding:0 5px;border-radius:4px}
.asc-tree li.asc-new{background:color-mix(in srgb,var(--asc-accent) 13%,transparent);
box-shadow:inset 2px 0 var(--asc-accent)}
.asc-key{color:var(--asc-dim);font-family:var(--asc-mono);font-size:12px;margin-right:5px}
.asc-str{white-space:pre-wrap}.asc-num{color:var(--asc-accent)}
.asc-nil,.asc-more{color:var(--asc-dim)}
.asc-nest{border-left:2px solid var(--asc-line);padding-left:12px;margin-top:2px}
.asc-role{font-size:11px;font-weight:600;color:var(--asc-dim);margin:6px 0 2px}
.asc-wire{font-size:11.5px!important;white-space:pre-wrap}
.asc-foot{border-top:1px solid var(--asc-line);padding-top:7px;margin-top:4px;display:block}
.asc-foot>details{margin:0 0 8px}.asc-foot>details:last-child{margin:0}
"""

# Front ends style these elements themselves; the doubled class outdoes them.
_OUTDONE = re.compile(r"\.asc (?=(pre|code|table|th|td|p|blockquote)\b)")

STYLE = _OUTDONE.sub(".asc.asc ", _SHEET).replace("\n", "")
"""The sheet in one line."""
