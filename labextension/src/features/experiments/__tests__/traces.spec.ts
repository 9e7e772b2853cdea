import {
  axisValues,
  curveTraces,
  parallelTraces,
  scatterTraces,
  varying
} from '../model/traces';
import { aRun } from './fixtures';

const theme = {
  text: 'black',
  background: 'white',
  grid: 'grey',
  family: 'sans',
  colours: ['blue', 'orange']
};
const runs = [
  aRun('a', { Params: { depth: '3', kind: 'tree' }, Metrics: { auc: 0.7 } }),
  aRun('b', { Params: { depth: '6', kind: 'linear' }, Metrics: { auc: 0.9 } }),
  aRun('c', { Params: { depth: '6' }, Metrics: {} })
];

describe('curves', () => {
  const courses = [
    {
      RunId: 'a',
      Name: 'auc',
      Steps: [0, 1],
      Times: [100, 130],
      Values: [0.5, 0.7],
      Points: 2
    },
    {
      RunId: 'b',
      Name: 'auc',
      Steps: [4],
      Times: [100],
      Values: [0.9],
      Points: 1
    }
  ];
  const options = {
    axis: 'step' as const,
    smoothing: 0,
    highlighted: null,
    theme
  };

  it('are one for each run that has the metric', () => {
    expect(curveTraces(courses, runs, options)).toMatchObject([
      { name: 'run-a', x: [0, 1], y: [0.5, 0.7], mode: 'lines' },
      { name: 'run-b', x: [4], mode: 'markers' }
    ]);
  });

  it('begin together over time', () => {
    expect(
      curveTraces(courses, runs, { ...options, axis: 'time' })
    ).toMatchObject([{ x: [0, 30] }, { x: [0] }]);
  });

  it('fade beside the one that is pointed at', () => {
    expect(
      curveTraces(courses, runs, { ...options, highlighted: 'b' })
    ).toMatchObject([{ opacity: 0.15 }, { opacity: 1, line: { width: 3 } }]);
  });
});

describe('axes', () => {
  it('are numbers where all values are', () => {
    expect(axisValues(runs, 'params.depth')).toEqual({
      values: [3, 6, 6],
      texts: null
    });
  });

  it('are places of texts elsewhere', () => {
    expect(axisValues(runs, 'params.kind')).toEqual({
      values: [1, 0, NaN],
      texts: ['linear', 'tree']
    });
  });

  it('are worth showing where runs differ', () => {
    expect(
      varying(runs, ['params.depth', 'params.seed', 'metrics.auc'])
    ).toEqual(['params.depth', 'metrics.auc']);
  });
});

describe('parallel coordinates', () => {
  it('leave out and count runs without a value', () => {
    const found = parallelTraces(
      runs,
      ['params.depth', 'params.kind', 'metrics.auc'],
      theme
    );
    expect(found.left).toBe(1);
    expect(found.data).toMatchObject([
      {
        type: 'parcoords',
        line: { color: [0.7, 0.9] },
        dimensions: [
          { label: 'depth', values: [3, 6] },
          { label: 'kind', values: [1, 0], ticktext: ['linear', 'tree'] },
          { label: 'auc', values: [0.7, 0.9] }
        ]
      }
    ]);
  });

  it('are nothing where no run has all values', () => {
    expect(parallelTraces(runs, ['metrics.loss'], theme)).toEqual({
      data: [],
      left: 3
    });
  });
});

describe('a scatter', () => {
  it('has the runs that have both columns', () => {
    expect(
      scatterTraces(
        runs,
        { x: 'params.depth', y: 'metrics.auc', colour: '' },
        theme
      )
    ).toMatchObject([{ x: [3, 6], y: [0.7, 0.9], customdata: ['a', 'b'] }]);
  });

  it('has a scale for the colour of numbers, a series for each text', () => {
    const columns = { x: 'params.depth', y: 'metrics.auc' };
    expect(
      scatterTraces(runs, { ...columns, colour: 'metrics.auc' }, theme)
    ).toMatchObject([{ marker: { color: [0.7, 0.9], showscale: true } }]);
    expect(
      scatterTraces(runs, { ...columns, colour: 'params.kind' }, theme)
    ).toMatchObject([
      { name: 'linear', x: [6] },
      { name: 'tree', x: [3] }
    ]);
  });
});
