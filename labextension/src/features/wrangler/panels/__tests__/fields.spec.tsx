import { render, screen, waitFor } from '@testing-library/react';
import userEvent from '@testing-library/user-event';
import { axe } from 'jest-axe';
import { useState } from 'react';

import type { IFlowParameter } from '../../../../api/types/wrangler';
import { trans } from '../../../../testing/fakeClient';
import { ParameterFields } from '../form/parameterForm';
import type { Values } from '../json';
import { COLUMNS, parameter } from './fixtures';

function show(
  parameters: IFlowParameter[],
  start: Values = {}
): { values: () => Values; container: HTMLElement } {
  let last = start;
  function Form(): JSX.Element {
    const [values, setValues] = useState(start);
    last = values;
    return (
      <ParameterFields
        parameters={parameters}
        columns={COLUMNS}
        values={values}
        problem={null}
        trans={trans}
        onChange={setValues}
      />
    );
  }
  const { container } = render(<Form />);
  return { values: () => last, container };
}

describe('the fields of parameters', () => {
  it('choose several columns, in order, by name, all and none', async () => {
    const user = userEvent.setup();
    const { values, container } = show([
      parameter({
        Name: 'columns',
        Kind: 'columns',
        Label: 'Columns',
        ColumnTypes: ['long', 'float']
      })
    ]);
    await user.click(screen.getByRole('checkbox', { name: /ounces/ }));
    await user.click(screen.getByRole('checkbox', { name: /^id/ }));
    expect(values()).toEqual({ columns: ['ounces', 'id'] });
    expect(screen.getByRole('checkbox', { name: /city/ })).toHaveProperty(
      'disabled',
      true
    );
    expect(screen.getByText('string · takes long, float')).toBeTruthy();
    await user.click(
      screen.getByRole('button', { name: 'Columns: choose none' })
    );
    expect(values()).toEqual({ columns: undefined });
    await user.type(screen.getByRole('searchbox'), 'OUN');
    expect(screen.getAllByRole('checkbox')).toHaveLength(1);
    await user.click(
      screen.getByRole('button', { name: 'Columns: choose all' })
    );
    expect(values()).toEqual({ columns: ['ounces'] });
    expect((await axe(container)).violations).toEqual([]);
  });

  it('keep a column that the table no longer has in sight', async () => {
    const user = userEvent.setup();
    const { values } = show([parameter({ Name: 'columns', Kind: 'columns' })], {
      columns: ['gone', 'id']
    });
    expect(screen.getByText('not in the table')).toBeTruthy();
    await user.click(screen.getByRole('checkbox', { name: /gone/ }));
    expect(values()).toEqual({ columns: ['id'] });
  });

  it('take entries: add, fill in, remove', async () => {
    const user = userEvent.setup();
    const { values, container } = show([
      parameter({
        Name: 'splits',
        Kind: 'records',
        Label: 'Splits',
        Fields: [
          parameter({ Name: 'name', Kind: 'text', Label: 'Name' }),
          parameter({
            Name: 'percentage',
            Kind: 'number',
            Label: 'Share',
            Minimum: 0,
            Maximum: 1
          })
        ]
      })
    ]);
    const add = screen.getByRole('button', { name: 'Add an entry to Splits' });
    await user.click(add);
    await user.type(screen.getByLabelText('Name'), 'Train');
    await user.click(add);
    await user.type(screen.getAllByLabelText('Share')[1] as HTMLElement, '0.2');
    expect(values()).toEqual({
      splits: [{ name: 'Train' }, { percentage: '0.2' }]
    });
    expect((await axe(container)).violations).toEqual([]);
    await user.click(
      screen.getByRole('button', { name: 'Remove entry 1 of Splits' })
    );
    expect(values()).toEqual({ splits: [{ percentage: '0.2' }] });
  });

  it('take several texts', async () => {
    const user = userEvent.setup();
    const { values } = show([
      parameter({ Name: 'symbols', Kind: 'texts', Label: 'Symbols' })
    ]);
    await user.click(screen.getByRole('button', { name: 'Add to Symbols' }));
    await user.type(screen.getByLabelText('Symbols 1'), '%');
    expect(values()).toEqual({ symbols: ['%'] });
    await user.click(screen.getByRole('button', { name: 'Remove Symbols 1' }));
    expect(values()).toEqual({ symbols: undefined });
  });

  it('show defaults and ranges, and switch', async () => {
    const user = userEvent.setup();
    const { values } = show([
      parameter({
        Name: 'seed',
        Kind: 'integer',
        Label: 'Seed',
        Default: 7 as never,
        Minimum: 0
      }),
      parameter({
        Name: 'center',
        Kind: 'boolean',
        Label: 'Center',
        Default: true as never
      })
    ]);
    expect(screen.getByLabelText('Seed')).toHaveProperty(
      'placeholder',
      'default: 7'
    );
    expect(screen.getByText('What seed is. Range: 0 or more.')).toBeTruthy();
    const center = screen.getByLabelText('Center');
    expect(center).toHaveProperty('checked', true);
    await user.click(center);
    expect(values()).toEqual({ center: false });
  });

  it('let a text with a default be emptied', async () => {
    const user = userEvent.setup();
    const { values } = show(
      [
        parameter({
          Name: 'with',
          Kind: 'text',
          Label: 'With',
          Default: ' ' as never
        }),
        parameter({ Name: 'without', Kind: 'text', Label: 'Without' })
      ],
      { with: 'a', without: 'b' }
    );
    await user.clear(screen.getByLabelText('With'));
    await user.clear(screen.getByLabelText('Without'));
    expect(values()).toEqual({ with: '', without: undefined });
  });

  it('have an editor for code and formulas, told what it is', async () => {
    const { container } = show(
      [
        parameter({
          Name: 'code',
          Kind: 'code',
          Label: 'Code',
          Language: 'python'
        }),
        parameter({ Name: 'formula', Kind: 'formula', Label: 'Formula' })
      ],
      { code: 'df = df\n', formula: 'ounces * 2' }
    );
    await waitFor(() =>
      expect(container.querySelectorAll('[data-ready="true"]')).toHaveLength(2)
    );
    const code = screen.getByRole('textbox', { name: 'Code' });
    expect(code.textContent).toContain('df = df');
    expect(code.getAttribute('aria-multiline')).toBe('true');
    expect(
      screen
        .getByRole('textbox', { name: 'Formula' })
        .getAttribute('aria-multiline')
    ).toBe('false');
  });
});
