import type { GraphicsContext } from '@lumino/datagrid';

/** Room between a cell's border and its text. */
export const PADDING = 8;

/** As much of a text as fits, with an ellipsis where it does not. */
export function fitted(
  gc: GraphicsContext,
  text: string,
  width: number
): string {
  if (width <= 0) {
    return '';
  }
  const whole = gc.measureText(text).width;
  if (whole <= width) {
    return text;
  }
  const letters = [...text];
  let low = 0;
  let high = letters.length;
  while (low < high) {
    const middle = Math.ceil((low + high) / 2);
    const cut = `${letters.slice(0, middle).join('')}…`;
    if (gc.measureText(cut).width <= width) {
      low = middle;
    } else {
      high = middle - 1;
    }
  }
  return low > 0 ? `${letters.slice(0, low).join('')}…` : '';
}

/** Draw in a box only. */
export function clipped(
  gc: GraphicsContext,
  box: { x: number; y: number; width: number; height: number },
  draw: () => void
): void {
  gc.save();
  gc.beginPath();
  gc.rect(box.x, box.y, box.width, box.height);
  gc.clip();
  draw();
  gc.restore();
}
