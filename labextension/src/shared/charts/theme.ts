import { useEffect, useState } from 'react';

/** The colours of JupyterLab's present theme, as charts need them. */
export interface IChartTheme {
  text: string;
  background: string;
  grid: string;
  family: string;
  /** For series, in order; they differ in lightness too. */
  colours: string[];
}

const SERIES = [
  '--jp-brand-color1',
  '--jp-warn-color1',
  '--jp-success-color1',
  '--jp-error-color1',
  '--jp-info-color1',
  '--jp-accent-color1',
  '--jp-brand-color3',
  '--jp-warn-color3'
];

function read(): IChartTheme {
  const style = getComputedStyle(document.body);
  const value = (name: string): string => style.getPropertyValue(name).trim();
  return {
    text: value('--jp-ui-font-color1'),
    background: value('--jp-layout-color1'),
    grid: value('--jp-border-color2'),
    family: value('--jp-ui-font-family'),
    colours: SERIES.map(value)
  };
}

/** The colours of the theme, anew when the theme changes. */
export function useChartTheme(): IChartTheme {
  const [theme, setTheme] = useState(read);
  useEffect(() => {
    // JupyterLab names the theme in attributes of the body, after it has loaded its styles.
    const observer = new MutationObserver(() => setTheme(read()));
    observer.observe(document.body, {
      attributes: true,
      attributeFilter: ['data-jp-theme-name', 'data-jp-theme-light']
    });
    return () => observer.disconnect();
  }, []);
  return theme;
}

/** The colour of the series at a position. */
export function seriesColour(theme: IChartTheme, index: number): string {
  return theme.colours[index % theme.colours.length] ?? theme.text;
}

/** From the second colour of the theme to its first. */
export function colourScale(theme: IChartTheme): Array<[number, string]> {
  return [
    [0, seriesColour(theme, 1)],
    [1, seriesColour(theme, 0)]
  ];
}
