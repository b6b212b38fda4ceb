/**
 * The marks of Observable Plot that the screens use; one chunk, loaded when first needed. Each mark
 * costs one to ten kilobytes: name here what is used, nothing else.
 */
export { binX, dot, line, plot, pointer, rectY, ruleX, ruleY, tip } from '@observablehq/plot';
