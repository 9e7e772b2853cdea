import { act, render } from '@testing-library/react';

import { trans } from '../../testing/fakeClient';
import { Plot } from '../charts/plot';

type Listener = (data: unknown) => void;

const listeners = new Map<string, Listener>();
const drawings: Array<() => void> = [];

// Plotly draws on canvases, which jsdom has none of: here it is a drawing that ends when told to.
jest.mock('plotly.js-gl2d-dist-min', () => ({
  react: (node: HTMLElement) => {
    node.replaceChildren(document.createElement('svg'));
    const drawn = Object.assign(node, {
      on: (event: string, listener: Listener) => listeners.set(event, listener)
    });
    return new Promise(resolve => drawings.push(() => resolve(drawn)));
  },
  purge: () => undefined,
  Plots: { resize: () => undefined }
}));

it('hears of a zoom also where the data changed during the first drawing', async () => {
  const ranges: unknown[] = [];
  const chart = (data: object[]): JSX.Element => (
    <Plot
      data={data}
      height={100}
      label="Loss"
      trans={trans}
      onRange={range => ranges.push(range)}
    />
  );
  const { container, rerender } = render(chart([]));
  await act(async () => undefined);
  expect(drawings).toHaveLength(1);
  rerender(chart([{ y: [1] }]));
  await act(async () => undefined);
  await act(async () => drawings.forEach(end => end()));
  expect(container.querySelector('[data-ready="true"]')).not.toBeNull();
  listeners.get('plotly_relayout')?.({
    'xaxis.range[0]': 1,
    'xaxis.range[1]': 2
  });
  expect(ranges).toEqual([[1, 2]]);
});
