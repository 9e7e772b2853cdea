import { trans } from '../../../testing/fakeClient';
import {
  formValues,
  hyperparameterForm,
  hyperparameterProblems,
  sentHyperparameters,
  shownParameters,
  takeFormValues,
  undescribed
} from '../hyperparameters';
import { KMEANS, XGBOOST } from './fixtures';

const names = (values: Record<string, string>, essential: boolean): string[] =>
  shownParameters(XGBOOST, values, essential).map(item => item.Name);

describe('the form of an algorithm', () => {
  it('has types, ranges, choices, defaults and a sentence each', () => {
    const { schema, uiSchema } = hyperparameterForm(
      shownParameters(XGBOOST, {}, true),
      XGBOOST,
      {},
      trans
    );
    expect(schema).toEqual({
      type: 'object',
      required: ['num_round'],
      properties: {
        num_round: {
          title: 'num_round',
          description: 'What num_round is. Range: [1,∞)',
          type: 'integer',
          minimum: 1
        },
        objective: {
          title: 'objective',
          description: 'What objective is.',
          type: 'string',
          enum: ['reg:squarederror', 'binary:logistic', 'multi:softmax']
        },
        eta: {
          title: 'eta',
          description: 'What eta is. Range: [0,1]',
          type: 'number',
          minimum: 0,
          maximum: 1
        }
      }
    });
    expect(uiSchema['eta']).toEqual({ 'ui:placeholder': 'default: 0.3' });
    expect(uiSchema['num_round']).toEqual({ 'ui:placeholder': 'not set' });
  });

  it('keeps open ends of a range open', () => {
    const { schema } = hyperparameterForm(
      shownParameters(XGBOOST, {}, false),
      XGBOOST,
      {},
      trans
    );
    expect(schema.properties?.['subsample']).toMatchObject({
      exclusiveMinimum: 0,
      maximum: 1
    });
  });

  it('shows a hyperparameter only where it has an effect', () => {
    expect(names({}, false)).toEqual(['subsample', 'booster', 'eval_metric']);
    expect(names({ booster: 'dart' }, false)).toContain('rate_drop');
  });

  it('does not fold what must be given', () => {
    expect(names({ objective: 'multi:softmax' }, true)).toContain('num_class');
    const values = { objective: 'multi:softmax' };
    const { schema } = hyperparameterForm(
      shownParameters(XGBOOST, values, true),
      XGBOOST,
      values,
      trans
    );
    expect(schema.required).toEqual(['num_round', 'num_class']);
  });
});

describe('values', () => {
  it('are numbers in the form, and text again behind it', () => {
    const values = { num_round: '20', eta: '0.10', booster: 'dart' };
    const form = formValues(XGBOOST.HyperParameters, values);
    expect(form).toEqual({ num_round: 20, eta: 0.1, booster: 'dart' });
    expect(takeFormValues(XGBOOST.HyperParameters, values, form)).toEqual(
      values
    );
  });

  it('change where the form changed, and nowhere else', () => {
    const shown = shownParameters(XGBOOST, {}, true);
    expect(
      takeFormValues(
        shown,
        { num_round: '20', eta: '0.10', subsample: '0.5' },
        { num_round: 30, eta: 0.1, objective: '' }
      )
    ).toEqual({ num_round: '30', eta: '0.10', subsample: '0.5' });
  });

  it('that are gone from the form are gone', () => {
    expect(
      takeFormValues(shownParameters(XGBOOST, {}, true), { eta: '0.1' }, {})
    ).toEqual({});
  });

  it('keep text that is no number, for the form to complain of', () => {
    expect(formValues(XGBOOST.HyperParameters, { eta: 'much' })).toEqual({
      eta: 'much'
    });
  });

  it('without an effect are not sent, those the form does not know are', () => {
    const values = { eta: '0.1', rate_drop: '0.2', learning_rate: '0.3' };
    expect(sentHyperparameters(XGBOOST, values)).toEqual({
      eta: '0.1',
      learning_rate: '0.3'
    });
    expect(undescribed(XGBOOST, values)).toEqual(['learning_rate']);
  });
});

describe('problems', () => {
  it('are told by name, with what is allowed', () => {
    expect(
      hyperparameterProblems(
        XGBOOST,
        {
          objective: 'multi:softmax',
          eta: '7',
          subsample: '0',
          booster: 'tree',
          rate_drop: '9'
        },
        trans
      )
    ).toEqual({
      num_round: 'num_round must be given; allowed: [1,∞).',
      num_class: 'num_class must be given; allowed: [2,∞).',
      eta: 'eta cannot be 7; allowed: [0,1].',
      subsample: 'subsample cannot be 0; allowed: (0,1].',
      booster: 'booster cannot be tree; allowed: gbtree, dart.'
    });
    expect(
      hyperparameterProblems(XGBOOST, { num_round: '1.5' }, trans)
    ).toHaveProperty('num_round');
    expect(hyperparameterProblems(XGBOOST, { num_round: '10' }, trans)).toEqual(
      {}
    );
  });
});

describe('a number that may be a word', () => {
  it('is a text field that offers the words', () => {
    const { schema } = hyperparameterForm(
      shownParameters(KMEANS, {}, true),
      KMEANS,
      {},
      trans
    );
    expect(schema.properties?.['extra_center_factor']).toEqual({
      title: 'extra_center_factor',
      description: 'What extra_center_factor is. Range: [1,∞) or auto',
      type: 'string',
      examples: ['auto']
    });
    const values = { extra_center_factor: '4' };
    expect(formValues(KMEANS.HyperParameters, values)).toEqual(values);
  });

  it.each([
    ['auto', true],
    ['4', true],
    ['0', false],
    ['1.5', false],
    ['much', false],
    [' ', false]
  ])('can be %j: %s', (value, allowed) => {
    const { extra_center_factor: problem } = hyperparameterProblems(
      KMEANS,
      { extra_center_factor: value },
      trans
    );
    expect(problem === undefined).toBe(allowed);
    if (!allowed) {
      expect(problem).toContain('allowed: [1,∞) or auto');
    }
  });

  it('stands beside what the form starts with', () => {
    const first = shownParameters(KMEANS, {}, true).map(item => item.Name);
    expect(first).toEqual(['k', 'feature_dim', 'extra_center_factor']);
  });
});
