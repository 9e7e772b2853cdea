import {
  act,
  configure,
  fireEvent,
  render,
  screen,
  waitFor,
  within
} from '@testing-library/react';
import userEvent from '@testing-library/user-event';
import { axe } from 'jest-axe';

import type { Answers } from '../../../../testing/fakeClient';
import { useSignal } from '../../../../shared/hooks/useSignal';
import type { IPanelProps } from '../../model/types';
import { StepForm } from '../stepForm';
import { StepPalette } from '../stepPalette';
import { answers, IMPUTE, panelProps, states } from './fixtures';

configure({ defaultHidden: true });

beforeAll(() => {
  // jsdom lays nothing out.
  Element.prototype.scrollIntoView = () => undefined;
});

/** Both as the screen has them: the form while there is a draft. */
function Both(props: IPanelProps): JSX.Element {
  useSignal(props.model.changed);
  return (
    <>
      <StepPalette {...props} />
      {props.model.draft && <StepForm {...props} />}
    </>
  );
}

async function show(
  more: Answers = {}
): Promise<
  Awaited<ReturnType<typeof panelProps>> & { container: HTMLElement }
> {
  const props = await panelProps(more);
  const { container } = render(<Both {...props} />);
  await screen.findByPlaceholderText('Add step — search 4 transforms');
  return { ...props, container };
}

const search = (): HTMLElement =>
  screen.getByRole('combobox', { name: 'Add step' });
const form = (name: string): Promise<HTMLElement> =>
  screen.findByRole('form', { name });
const settled = (): Promise<void> =>
  waitFor(() =>
    expect(document.querySelector('[data-pending="true"]')).toBeNull()
  );

describe('the palette', () => {
  it('is worked by keys alone', async () => {
    const user = userEvent.setup();
    const { model } = await show();
    await user.type(search(), 'fill');
    const list = screen.getByRole('listbox', { name: 'Transforms' });
    expect(within(list).getAllByRole('option')).toHaveLength(1);
    await user.clear(search());
    expect(within(list).getAllByRole('option')).toHaveLength(4);
    await user.keyboard('{ArrowDown}');
    const active = search().getAttribute('aria-activedescendant') ?? '';
    expect(document.getElementById(active)?.textContent).toContain('Impute');
    await user.keyboard('{Enter}');
    expect(model.draft?.edit).toMatchObject({
      Kind: 'add_step',
      Name: 'Impute'
    });
    expect(await form('Impute')).toBeTruthy();
    expect(list.hidden).toBe(true);
  });

  it('closes with Escape, and says when nothing is found', async () => {
    const user = userEvent.setup();
    const { model } = await show();
    await user.type(search(), 'teleport');
    expect(
      screen.getByText(/No transform is found by “teleport”/)
    ).toBeTruthy();
    await user.keyboard('{Escape}');
    expect(search().getAttribute('aria-expanded')).toBe('false');
    expect(model.draft).toBeNull();
  });

  it('asks in a dialog for the second table', async () => {
    const user = userEvent.setup();
    const { model } = await show();
    await user.type(search(), 'merge{Enter}');
    expect(model.dialog).toMatchObject({
      kind: 'join',
      left: { nodeId: 'breweries' }
    });
    await user.type(search(), 'concat{Enter}');
    expect(model.dialog).toMatchObject({ kind: 'concatenate' });
  });

  it('suggests for the selected column; one click shows what it does', async () => {
    const user = userEvent.setup();
    const { model, client, container } = await show({
      'bottega:SuggestSteps': request => ({
        Suggestions: request.Column
          ? [
              {
                Title: 'Impute with the median',
                Sentence: '11 values are missing.',
                Operator: IMPUTE.Operator,
                Name: 'Impute',
                Group: 'Handle missing',
                Values: { input_column: request.Column, strategy: 'Mean' }
              }
            ]
          : []
      })
    });
    expect(await screen.findByText('Nothing stands out here.')).toBeTruthy();
    act(() => model.selectColumn('ounces'));
    await user.click(
      await screen.findByRole('button', { name: /Impute with the median/ })
    );
    expect(client.requests('bottega:SuggestSteps').at(-1)).toMatchObject({
      NodeId: 'breweries',
      Column: 'ounces'
    });
    expect(await screen.findByLabelText('Strategy')).toHaveProperty(
      'value',
      'Mean'
    );
    expect(
      screen
        .getByRole('button', { name: /Impute with the median/ })
        .getAttribute('aria-pressed')
    ).toBe('true');
    expect(await screen.findByText('summary of new')).toBeTruthy();
    expect((await axe(container)).violations).toEqual([]);
  });

  it('never shows for one column what was suggested for another', async () => {
    const { model } = await show({
      'bottega:SuggestSteps': request =>
        request.Column === 'city'
          ? new Promise<never>(() => undefined)
          : {
              Suggestions: [
                {
                  Title: `Mend ${request.Column ?? 'all'}`,
                  Sentence: 'It is uneven.',
                  Operator: IMPUTE.Operator,
                  Name: 'Impute',
                  Group: 'Handle missing',
                  Values: {}
                }
              ]
            }
    });
    expect(await screen.findByText('Mend all')).toBeTruthy();
    act(() => model.selectColumn('ounces'));
    expect(await screen.findByText('Mend ounces')).toBeTruthy();
    act(() => model.selectColumn('city'));
    expect(screen.getByText('Suggested for city')).toBeTruthy();
    expect(screen.queryByText('Mend ounces')).toBeNull();
    expect(screen.getByText('Mend all')).toBeTruthy();
  });

  it('says why nothing can be suggested', async () => {
    await show({
      'bottega:SuggestSteps': () => {
        throw new Error('The file is gone.');
      }
    });
    expect(
      await screen.findByText('Nothing can be suggested: The file is gone.')
    ).toBeTruthy();
  });
});

describe('the form of a step', () => {
  it('previews as it is filled in, and is applied with Enter', async () => {
    const user = userEvent.setup();
    const { model, client, store } = await show();
    await user.type(search(), 'fill{Enter}');
    await form('Fill missing');
    await user.click(screen.getByRole('checkbox', { name: /^city/ }));
    const before = client.requests('bottega:EditFlow').length;
    const value = screen.getByLabelText(/^Fill value/);
    await user.type(value, 'N/A');
    await settled();
    const sent = client.requests('bottega:EditFlow').slice(before);
    expect(sent.length).toBeLessThan(3);
    expect(sent.at(-1)?.Edit.Values).toEqual({
      input_column: ['city'],
      fill_value: 'N/A'
    });
    expect(model.draft?.flow).not.toBeNull();
    expect(JSON.parse(store.text).nodes).toHaveLength(2);
    await user.type(value, '{Enter}');
    await waitFor(() => expect(model.draft).toBeNull());
    expect(JSON.parse(model.text).nodes).toHaveLength(3);
  });

  it('says what is missing when it is applied too early, and goes there', async () => {
    const user = userEvent.setup();
    const { model } = await show();
    await user.type(search(), 'impute{Enter}');
    await form('Impute');
    await settled();
    expect(screen.queryByText('Column is missing.')).toBeNull();
    await user.click(screen.getByRole('button', { name: 'Apply' }));
    expect(screen.getByText('Column is missing.')).toBeTruthy();
    expect(document.activeElement).toBe(screen.getByLabelText(/^Column \*/));
    expect(model.draft).not.toBeNull();
  });

  it('shows types, and why a column cannot be chosen', async () => {
    const user = userEvent.setup();
    await show();
    await user.type(search(), 'impute{Enter}');
    const columns = await screen.findByLabelText(/^Column \*/);
    const options = within(columns).getAllByRole('option');
    expect(options.map(item => item.textContent)).toEqual([
      'Choose a column',
      'id · long',
      'city · string (takes long, float)',
      'ounces · float'
    ]);
    expect(options[2]).toHaveProperty('disabled', true);
  });

  it('shows what counts only with other values when it counts', async () => {
    const user = userEvent.setup();
    await show();
    await user.type(search(), 'impute{Enter}');
    await user.selectOptions(
      await screen.findByLabelText('Column type'),
      'Categorical'
    );
    expect(screen.queryByLabelText('Strategy')).toBeNull();
  });

  it('leads a refusal of the server to its field', async () => {
    const user = userEvent.setup();
    const { model } = await show({
      'bottega:CheckFlow': request => ({
        Nodes: states(request.Flow, {
          new: {
            Error: 'Column: ounces has no value to learn from.',
            Parameter: 'input_column'
          }
        }),
        NeedsTrust: false,
        Ends: [],
        Notes: []
      })
    });
    await user.type(search(), 'impute{Enter}');
    const column = await screen.findByLabelText(/^Column \*/);
    await user.selectOptions(column, 'ounces');
    const problem = await screen.findByText(
      'Column: ounces has no value to learn from.'
    );
    expect(column.getAttribute('aria-describedby')).toContain(problem.id);
    expect(column.getAttribute('aria-invalid')).toBe('true');
    await user.click(screen.getByRole('button', { name: 'Apply' }));
    await waitFor(() =>
      expect(
        screen.getAllByText('Column: ounces has no value to learn from.').length
      ).toBeGreaterThan(1)
    );
    expect(model.draft).not.toBeNull();
  });

  it('is given up with Escape', async () => {
    const user = userEvent.setup();
    const { model } = await show();
    await user.type(search(), 'impute{Enter}');
    await screen.findByLabelText('Strategy');
    await user.keyboard('{Escape}');
    expect(model.draft).toBeNull();
    expect(screen.queryByRole('form')).toBeNull();
  });

  it('takes over the values of another suggestion', async () => {
    const { model } = await show();
    const start = (strategy: string): void =>
      model.startDraft({
        Kind: 'add_step',
        Operator: IMPUTE.Operator,
        Name: 'Impute',
        Values: { input_column: 'ounces', strategy }
      });
    act(() => start('Mean'));
    expect(await screen.findByLabelText('Strategy')).toHaveProperty(
      'value',
      'Mean'
    );
    act(() => start('Median'));
    await waitFor(() =>
      expect(screen.getByLabelText('Strategy')).toHaveProperty(
        'value',
        'Median'
      )
    );
  });

  it('edits a step of the flow with the values it has', async () => {
    const user = userEvent.setup();
    const { model, client } = await show();
    await act(async () => {
      await model.edit({
        Kind: 'add_step',
        NodeId: 'beers',
        Operator: IMPUTE.Operator,
        Name: 'Impute',
        Values: {
          input_column: 'ounces',
          strategy: 'Mean',
          column_type: 'Numeric'
        }
      });
    });
    await waitFor(() => expect(model.node('new')?.State).toBeDefined());
    act(() =>
      model.startDraft({ Kind: 'change_step', NodeId: 'new', Name: 'Impute' })
    );
    expect(await screen.findByLabelText('Strategy')).toHaveProperty(
      'value',
      'Mean'
    );
    await user.selectOptions(
      screen.getByLabelText('Column type'),
      'Categorical'
    );
    await settled();
    expect(client.requests('bottega:EditFlow').at(-1)?.Edit).toMatchObject({
      Kind: 'change_step',
      Values: { column_type: 'Categorical', strategy: null }
    });
  });

  it('says so where a step has no form', async () => {
    const { model } = await show();
    act(() =>
      model.startDraft({
        Kind: 'add_step',
        Operator: 'some.other_0.1',
        Name: 'Other'
      })
    );
    expect(
      await screen.findByText(/There is no form for “Other”/)
    ).toBeTruthy();
    fireEvent.click(screen.getByRole('button', { name: 'Close' }));
    expect(model.draft).toBeNull();
  });

  it('can be tried again when the transforms cannot be listed', async () => {
    const user = userEvent.setup();
    let away = true;
    const props = await panelProps({
      'bottega:ListTransforms': request => {
        if (away) {
          throw new Error('The studio is away.');
        }
        const list = answers()['bottega:ListTransforms'];
        if (!list) {
          throw new Error('There is an answer.');
        }
        return list(request);
      }
    });
    render(<Both {...props} />);
    expect(await screen.findByText('The studio is away.')).toBeTruthy();
    away = false;
    await user.click(screen.getByRole('button', { name: 'Try again' }));
    expect(
      await screen.findByPlaceholderText(/search 4 transforms/)
    ).toBeTruthy();
  });
});
