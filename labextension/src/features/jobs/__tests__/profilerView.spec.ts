import { trans } from '../../../testing/fakeClient';
import { figureOf, rowsOf } from '../profiler/figure';
import { laneLabel } from '../profiler/lanes';
import { phaseAt, valueAt } from '../profiler/momentFacts';
import { afterKey, inside, lastAtOrBefore, zoomed } from '../profiler/view';
import { timelineOf } from './debuggerExamples';
import { NOON } from './examples';

const WHOLE = [0, 100] as const;

describe('what is looked at', () => {
  it('keeps the moment where it is while it is zoomed', () => {
    expect(zoomed([0, 100], 25, 0.5, WHOLE)).toEqual([12.5, 62.5]);
    const [from, to] = zoomed([20, 40], 25, 2, WHOLE);
    expect((25 - from) / (to - from)).toBeCloseTo(0.25);
  });

  it('never leaves what there is', () => {
    expect(zoomed([80, 100], 100, 4, WHOLE)).toEqual([20, 100]);
    expect(zoomed([0, 100], 50, 2, WHOLE)).toEqual(WHOLE);
    expect(inside([-5, 5], WHOLE)).toEqual([0, 10]);
    expect(inside([95, 105], WHOLE)).toEqual([90, 100]);
  });

  it('ends at a thousandth of a second', () => {
    const [from, to] = zoomed([50, 50.001], 50, 0.01, WHOLE);
    expect(to - from).toBeCloseTo(0.001);
  });

  it('follows the keys', () => {
    const sight = { span: [0, 50] as const, moment: 49.5 };
    expect(afterKey('ArrowLeft', false, sight, WHOLE)).toEqual({
      span: [0, 50],
      moment: 48.5
    });
    // At its edge the moment takes what is seen along.
    expect(afterKey('ArrowRight', false, sight, WHOLE)).toEqual({
      span: [12.5, 62.5],
      moment: 50.5
    });
    expect(afterKey('ArrowRight', true, sight, WHOLE)).toEqual({
      span: [12.5, 62.5],
      moment: 62
    });
    expect(afterKey('+', false, sight, WHOLE)?.span).toEqual([24.75, 49.75]);
    expect(afterKey('End', false, sight, WHOLE)).toEqual({
      span: [50, 100],
      moment: 100
    });
    expect(afterKey('0', false, sight, WHOLE)?.span).toEqual(WHOLE);
    expect(afterKey('x', false, sight, WHOLE)).toBeNull();
  });
});

it('finds the last of ordered numbers', () => {
  const ordered = [1, 2, 2, 5];
  expect([0, 1, 2, 4, 9].map(value => lastAtOrBefore(ordered, value))).toEqual([
    -1, 0, 2, 2, 3
  ]);
  expect(lastAtOrBefore([], 1)).toBe(-1);
});

describe('the moment', () => {
  const [steps, loading] = timelineOf().Lanes;

  it('knows the phase that was going on', () => {
    expect(steps && phaseAt(steps, NOON + 25)).toEqual({
      seconds: 10,
      step: 1,
      count: 100,
      busy: 0.8
    });
    expect(steps && phaseAt(steps, NOON + 10)).toBeNull();
    expect(loading && phaseAt(loading, NOON)).toBeNull();
  });

  it('knows the last value by then', () => {
    const series = { Times: [5, 10], Values: [1500, 12.5], Unit: 'Percent' };
    expect(valueAt({ ...series, Unit: 'Percent' }, 11)).toBe('12.5 %');
    expect(valueAt({ ...series, Unit: 'BytesPerSecond' }, 7)).toBe('1.5 kB/s');
    expect(valueAt({ ...series, Unit: 'Bytes' }, 4)).toBe('–');
  });
});

describe('the figure', () => {
  const theme = {
    text: 'black',
    background: 'white',
    grid: 'grey',
    family: 'sans',
    colours: ['c0', 'c1', 'c2', 'c3']
  };

  it('has a row for each kind, and each core only where it is asked for', () => {
    const names = (withCores: boolean): string[] =>
      rowsOf(timelineOf(), withCores, trans).flatMap(row =>
        row.curves.map(curve => `${row.id}: ${curve.name}`)
      );
    expect(names(false)).toEqual([
      'cpu: CPU',
      'cpu: waiting for disks',
      'network: received'
    ]);
    expect(names(true)).toContain('cpu: cpu0');
  });

  it('names hosts where there are several', () => {
    const one = timelineOf();
    const [host] = one.Hosts;
    const two = timelineOf({
      Hosts: host ? [host, { ...host, HostName: 'algo-2' }] : []
    });
    expect(
      rowsOf(two, false, trans)[0]?.curves.map(curve => curve.name)
    ).toEqual([
      'algo-1',
      'algo-1 waiting for disks',
      'algo-2',
      'algo-2 waiting for disks'
    ]);
    const [lane] = one.Lanes;
    const lanes = lane ? [lane, { ...lane, ProcessId: 8 }] : [];
    expect(lanes.map(item => laneLabel(item, lanes))).toEqual([
      'Step TRAIN algo-1/7',
      'Step TRAIN algo-1/8'
    ]);
    expect(lane && laneLabel(lane, [lane])).toBe('Step TRAIN');
  });

  it('marks findings, and has an axis of its own for each row', () => {
    const timeline = timelineOf();
    const rows = rowsOf(timeline, false, trans);
    const figure = figureOf(timeline, rows, NOON, theme);
    expect(figure.data).toMatchObject([
      { x: [0, 10, 50], yaxis: 'y' },
      { yaxis: 'y' },
      { yaxis: 'y2' }
    ]);
    expect(figure.layout).toMatchObject({
      shapes: [{ x0: 20, x1: 30, fillcolor: 'c3' }],
      yaxis2: { ticksuffix: 'B/s' }
    });
    const [cpu, network] = (
      figure.layout as { annotations: Array<{ text: string }> }
    ).annotations;
    expect(cpu?.text).toMatch(/^CPU<br>.*c0.* CPU.*<br>.*c1.* waiting for/);
    expect(network?.text).toBe('Network');
    const lone = figureOf(timelineOf({ Hosts: [] }), [], NOON, theme);
    expect(lone.height).toBeGreaterThan(0);
  });
});
