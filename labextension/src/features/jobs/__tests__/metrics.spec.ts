import { metricFamilies, metricName } from '../metrics/families';
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
