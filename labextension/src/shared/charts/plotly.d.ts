/** The part of Plotly's bundle that the charts use; it comes without types of its own. */
declare module 'plotly.js-gl2d-dist-min' {
  export type PlotlyNode = HTMLElement & {
    on?: (event: string, listener: (data: unknown) => void) => void;
  };
  export function react(
    node: HTMLElement,
    data: readonly object[],
    layout: object,
    config: object
  ): Promise<PlotlyNode>;
  export function purge(node: HTMLElement): void;
  export const Plots: { resize(node: HTMLElement): void };
}

/** The bundle with bars, heatmaps and the like; it is used in the same way. */
declare module 'plotly.js-cartesian-dist-min' {
  export * from 'plotly.js-gl2d-dist-min';
}
