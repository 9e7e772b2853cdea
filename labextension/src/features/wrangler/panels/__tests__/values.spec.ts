import { trans } from '../../../../testing/fakeClient';
import {
  firstProblem,
  heededParameters,
  startingValues,
  toSend
} from '../form/values';
import { FILL, IMPUTE, parameter } from './fixtures';

const names = (values: Record<string, unknown>): string[] =>
  heededParameters(IMPUTE.Parameters, values).map(item => item.Name);

describe('the values of a form', () => {
  it('heeds conditions, on defaults too', () => {
    expect(names({})).toContain('strategy');
    expect(names({ column_type: 'Categorical' })).not.toContain('strategy');
  });

  it('heeds a condition on what is not heeded as the server does: by its default', () => {
    const parameters = [
      parameter({ Name: 'a', Kind: 'boolean', Default: false as never }),
      parameter({
        Name: 'b',
        Kind: 'choice',
        Default: 'x' as never,
        When: { Parameter: 'a', Values: [true as never] }
      }),
      parameter({
        Name: 'c',
        Kind: 'text',
        When: { Parameter: 'b', Values: ['y' as never] }
      })
    ];
    const shown = (values: Record<string, unknown>): string[] =>
      heededParameters(parameters, values).map(item => item.Name);
    expect(shown({ b: 'y' })).toEqual(['a']);
    expect(shown({ a: true, b: 'y' })).toEqual(['a', 'b', 'c']);
  });

  it('names what is missing, and what is no number or out of range', () => {
    const share = parameter({
      Name: 'share',
      Kind: 'number',
      Label: 'Share',
      Minimum: 0,
      Maximum: 1
    });
    const whole = parameter({
      Name: 'size',
      Kind: 'integer',
      Label: 'Size',
      Minimum: 1
    });
    expect(firstProblem(FILL.Parameters, {}, trans)).toMatchObject({
      parameter: 'input_column',
      isMissing: true
    });
    expect(firstProblem([share], { share: '0.5' }, trans)).toBeNull();
    expect(firstProblem([share], { share: '2' }, trans)?.message).toBe(
      'Share: 2 is not from 0 to 1.'
    );
    expect(firstProblem([share], { share: 'half' }, trans)?.message).toMatch(
      /no number/
    );
    expect(firstProblem([whole], { size: '1.5' }, trans)?.message).toMatch(
      /no whole number/
    );
    expect(firstProblem([whole], { size: '0' }, trans)?.message).toMatch(
      /1 or more/
    );
  });

  it('takes the empty text for a text, but not for a name of a column', () => {
    expect(
      firstProblem(
        FILL.Parameters,
        { input_column: ['city'], fill_value: '' },
        trans
      )
    ).toBeNull();
    expect(
      firstProblem(
        [parameter({ Name: 'n', Kind: 'new_column', Required: true })],
        { n: '' },
        trans
      )
    ).toMatchObject({ parameter: 'n' });
  });

  it('looks into entries', () => {
    const splits = parameter({
      Name: 'splits',
      Kind: 'records',
      Label: 'Splits',
      Fields: [
        parameter({ Name: 'name', Kind: 'text', Label: 'Name', Required: true })
      ]
    });
    expect(
      firstProblem([splits], { splits: [{ name: 'Train' }, {}] }, trans)
        ?.message
    ).toBe('Splits, entry 2: Name is missing.');
    expect(toSend([splits], { splits: [{ name: 'Train', other: 1 }] })).toEqual(
      {
        splits: [{ name: 'Train' }]
      }
    );
  });

  it('sends numbers as numbers, nothing that is not shown, and clears what was taken away', () => {
    expect(
      toSend(
        [...IMPUTE.Parameters, parameter({ Name: 'seed', Kind: 'integer' })],
        {
          column_type: 'Categorical',
          strategy: 'Mean',
          input_column: ['ounces'],
          seed: '7'
        },
        { strategy: 'Mean', output_column: 'x' }
      )
    ).toEqual({
      column_type: 'Categorical',
      input_column: 'ounces',
      seed: 7,
      strategy: null
    });
  });

  it('starts with the selected column where it fits', () => {
    expect(
      startingValues(IMPUTE.Parameters, { Name: 'ounces', Type: 'float' })
    ).toEqual({
      input_column: 'ounces'
    });
    expect(
      startingValues(IMPUTE.Parameters, { Name: 'city', Type: 'string' })
    ).toEqual({});
    expect(
      startingValues(FILL.Parameters, { Name: 'city', Type: 'string' })
    ).toEqual({
      input_column: ['city']
    });
    expect(startingValues(FILL.Parameters, null)).toEqual({});
  });

  it('starts a split with two parts', () => {
    const splits = [
      parameter({ Name: 'splits', Kind: 'records' }),
      parameter({ Name: 'key', Kind: 'column' })
    ];
    const usual = [
      { name: 'Train', percentage: 0.8 },
      { name: 'Test', percentage: 0.2 }
    ];
    expect(startingValues(splits, null)).toEqual({ splits: usual });
    expect(startingValues(splits, { Name: 'city', Type: 'string' })).toEqual({
      splits: usual,
      key: 'city'
    });
  });
});
