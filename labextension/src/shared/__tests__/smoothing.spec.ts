import { smoothed } from '../charts/smoothing';

describe('smoothing', () => {
  it('leaves values as they are at 0', () => {
    expect(smoothed([1, 5, 3], 0)).toEqual([1, 5, 3]);
  });

  it('starts at the first value and follows slowly', () => {
    const found = smoothed([10, 10, 0, 0], 0.5);
    expect(found[0]).toBeCloseTo(10);
    expect(found[1]).toBeCloseTo(10);
    expect(found[2]).toBeGreaterThan(found[3] ?? 0);
    expect(found[3]).toBeGreaterThan(0);
  });

  it('keeps a gap, and goes on behind it', () => {
    const [before, gap, behind] = smoothed([4, NaN, 4], 0.9);
    expect(before).toBeCloseTo(4);
    expect(gap).toBeNaN();
    expect(behind).toBeCloseTo(4);
  });

  it.each([0, 0.5])(
    'makes numbers of what JSON has no numbers for, at %s',
    weight => {
      expect(smoothed(['NaN', 'NaN', 2, 'Infinity'], weight)).toEqual([
        NaN,
        NaN,
        2,
        Infinity
      ]);
    }
  );
});
