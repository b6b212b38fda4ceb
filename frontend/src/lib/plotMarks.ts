/** The marks of Observable Plot that the screens use; one chunk, loaded when first needed. */
export {
  areaY, axisX, axisY, barX, barY, binX, cell, dot, frame, gridX, gridY, groupX, line, lineY, link, plot, pointer, rect, rectY, ruleX, ruleY, text, tickX, tickY, tip, vector,
} from '@observablehq/plot';
