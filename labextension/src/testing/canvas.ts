/** What was written on a canvas: the text, where, and how. */
export interface IDrawnText {
  text: string;
  x: number;
  y: number;
  font: string;
  fill: string;
}

/** A letter is so wide, in every font. */
export const LETTER_WIDTH = 7;

/**
 * A canvas's context that remembers what is drawn on it.
 *
 * jsdom draws nothing and has none.
 */
export class RecordedContext {
  readonly texts: IDrawnText[] = [];
  readonly boxes: Array<{
    x: number;
    y: number;
    width: number;
    height: number;
    fill: string;
  }> = [];
  fillStyle = '';
  strokeStyle = '';
  font = '';
  textAlign = 'left';
  textBaseline = 'alphabetic';
  lineWidth = 1;
  globalAlpha = 1;

  measureText(text: string): { width: number } {
    return { width: text.length * LETTER_WIDTH };
  }

  fillText(text: string, x: number, y: number): void {
    this.texts.push({ text, x, y, font: this.font, fill: this.fillStyle });
  }

  fillRect(x: number, y: number, width: number, height: number): void {
    this.boxes.push({ x, y, width, height, fill: this.fillStyle });
  }

  createLinearGradient(): { addColorStop: () => void } {
    return { addColorStop: () => undefined };
  }

  save(): void {}
  restore(): void {}
  beginPath(): void {}
  rect(): void {}
  clip(): void {}
  stroke(): void {}
  fill(): void {}
  moveTo(): void {}
  lineTo(): void {}
  closePath(): void {}
  strokeRect(): void {}
  clearRect(): void {}
  drawImage(): void {}
  scale(): void {}
  setTransform(): void {}
  setLineDash(): void {}
}

const contexts = new WeakMap<HTMLCanvasElement, RecordedContext>();

/** Give canvases such contexts. */
export function giveCanvases(): void {
  Object.defineProperty(HTMLCanvasElement.prototype, 'getContext', {
    configurable: true,
    value(this: HTMLCanvasElement): RecordedContext {
      const context = contexts.get(this) ?? new RecordedContext();
      contexts.set(this, context);
      return context;
    }
  });
}

// Lumino's grid measures as soon as it is imported: import this first.
giveCanvases();
