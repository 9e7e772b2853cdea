import { metricFamilies, metricName } from '../metrics/families';
import { smoothed } from '../metrics/smoothing';
import { course } from './examples';

describe('the families of metrics', () => {
  it.each([
    ['validation:auc', 'auc', 'validation'],
    ['train_loss', 'loss', 'train'],
    ['val_loss', 'loss', 'validation'],
    ['loss-test', 'loss', 'test'],
    ['eval/accuracy', 'accuracy', 'validation'],
    ['training.f1', 'f1', 'train'],
    ['accuracy', 'accuracy', ''],
    ['trainable_parameters', 'trainable_parameters', ''],
    ['notebook:cell', 'notebook:cell', '']
  ])('%s is %s of %s data', (name, family, role) => {
    expect(metricName(name)).toEqual({ family, role });
  });

  it('put train and validation of one metric into one chart, the objective first', () => {
    const families = metricFamilies(
      [
        course('validation:auc', [0.8]),
        course('train:auc', [0.9]),
        course('train:logloss', [0.3]),
        course('accuracy', [0.7])
      ],
      'train:logloss'
    );
    expect(
      families.map(family => [
        family.name,
        family.curves.map(curve => curve.label)
      ])
    ).toEqual([
      ['logloss', ['train']],
      ['accuracy', ['accuracy']],
      ['auc', ['train', 'validation']]
    ]);
    expect(families[0]?.curves[0]?.objective).toBe(true);
  });

  it('keep two metrics of one name and role apart', () => {
    const families = metricFamilies(
      [course('val_loss', [1]), course('validation:loss', [2])],
      undefined
    );
    expect(families).toHaveLength(1);
    expect(families[0]?.curves.map(curve => curve.label)).toEqual([
      'val_loss',
      'validation:loss'
    ]);
  });
});

describe('smoothing', () => {
  it('leaves values as they are at 0', () => {
    expect(smoothed([1, 2, 3], 0)).toEqual([1, 2, 3]);
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
});
