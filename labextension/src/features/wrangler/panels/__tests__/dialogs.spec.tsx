import {
  configure,
  render,
  screen,
  waitFor,
  within
} from '@testing-library/react';
import userEvent from '@testing-library/user-event';
import { axe } from 'jest-axe';

import { BottegaError } from '../../../../api/request';
import type {
  IDetectSourceRequest,
  IDetectSourceResponse
} from '../../../../api/types/wrangler';
import { ConcatenateDialog } from '../concatenateDialog';
import type { FlowContents } from '../flowFiles';
import { FlowFiles } from '../flowFiles';
import { JoinDialog } from '../joinDialog';
import { Reading } from '../source/readingOptions';
import { SourceDialog } from '../sourceDialog';
import { panelProps } from './fixtures';

configure({ defaultHidden: true });

const FOLDERS: Record<string, Array<{ name: string; type: string }>> = {
  data: [
    { name: 'beers.csv', type: 'file' },
    { name: 'notes.md', type: 'file' }
  ],
  '': [{ name: 'data', type: 'directory' }]
};

const files = new FlowFiles({
  get: (folder: string) =>
    Promise.resolve({
      type: 'directory',
      content: (FOLDERS[folder] ?? []).map(item => ({
        ...item,
        path: folder ? `${folder}/${item.name}` : item.name,
        size: 255_295
      }))
    })
} as unknown as FlowContents);

function detected(request: IDetectSourceRequest): IDetectSourceResponse {
  const options = request.Source.Options ?? {};
  const types = (options['Types'] ?? {}) as Record<string, 'long' | 'string'>;
  return {
    Format: 'csv',
    Options: { Encoding: 'utf-8', Delimiter: ',', HasHeader: true, ...options },
    Choices: {},
    Columns: [
      { Name: 'id', Type: types['id'] ?? 'long' },
      { Name: 'city', Type: 'string' }
    ],
    Rows: [[1436, 'Bend']] as unknown as Array<Record<string, unknown>>,
    Findings: ['2 rows are longer than the header.']
  };
}

describe('the dialog of a source', () => {
  it('shows what was detected, lets it be changed, and adds the source', async () => {
    const user = userEvent.setup();
    const props = await panelProps({ 'bottega:DetectSource': detected });
    const { client, model } = props;
    model.requestDialog({ kind: 'source', origin: 'file' });
    const { container } = render(
      <SourceDialog
        {...props}
        request={{ kind: 'source', origin: 'file' }}
        files={files}
      />
    );
    const add = (): HTMLElement =>
      screen.getByRole('button', { name: 'Add data' });
    expect(add()).toHaveProperty('disabled', true);
    const entry = await screen.findByRole('button', { name: /beers\.csv/ });
    expect(screen.queryByText('notes.md')).toBeNull();
    await user.click(entry);
    expect(await screen.findByText('Bend')).toBeTruthy();
    expect(screen.getByText('2 rows are longer than the header.')).toBeTruthy();
    expect(screen.getByLabelText('Encoding')).toHaveProperty('value', 'utf-8');
    await user.selectOptions(screen.getByLabelText('Delimiter'), ';');
    await user.selectOptions(screen.getByLabelText('Type of id'), 'string');
    await waitFor(() => expect(add()).toHaveProperty('disabled', false));
    expect((await axe(container)).violations).toEqual([]);
    await user.click(add());
    await waitFor(() => expect(model.dialog).toBeNull());
    expect(client.requests('bottega:EditFlow').at(-1)?.Edit).toEqual({
      Kind: 'add_source',
      Source: {
        Kind: 'file',
        Uri: 'beers.csv',
        Options: { Delimiter: ';', Types: { id: 'string' } }
      }
    });
    expect(client.requests('bottega:DetectSource').at(-1)).toMatchObject({
      Folder: '/home/somebody/data'
    });
  });

  it('goes through the folders', async () => {
    const user = userEvent.setup();
    const props = await panelProps();
    render(
      <SourceDialog {...props} request={{ kind: 'source' }} files={files} />
    );
    await user.click(
      await screen.findByRole('button', { name: '↑ One folder up' })
    );
    await user.click(await screen.findByRole('button', { name: 'data/' }));
    expect(
      await screen.findByRole('button', { name: /beers\.csv/ })
    ).toBeTruthy();
  });

  it('says why a file cannot be read, and adds nothing', async () => {
    const user = userEvent.setup();
    const props = await panelProps({
      'bottega:DetectSource': () => {
        throw new BottegaError(
          'ValidationException',
          'beers.csv is empty.',
          400
        );
      }
    });
    render(
      <SourceDialog {...props} request={{ kind: 'source' }} files={files} />
    );
    await user.click(await screen.findByRole('button', { name: /beers\.csv/ }));
    expect(await screen.findByText('beers.csv is empty.')).toBeTruthy();
    expect(screen.getByRole('button', { name: 'Add data' })).toHaveProperty(
      'disabled',
      true
    );
  });

  it('lists the store from the default bucket on', async () => {
    const user = userEvent.setup();
    const props = await panelProps({
      'bottega:DescribeStudio': () => ({
        Version: '0.1.0',
        Home: '/home',
        AccountId: '123456789012',
        Region: 'eu-west-1',
        DefaultBucket: 'bottega-data',
        RoleArn: 'arn',
        Slots: 1,
        SlotsInUse: 0
      }),
      'bottega:DetectSource': detected
    });
    props.client.listObjects = (_bucket, options) =>
      Promise.resolve({
        prefixes: options?.prefix === '' ? ['raw/'] : [],
        objects:
          options?.prefix === 'raw/'
            ? [{ key: 'raw/beers.csv', size: 10, modified: 0 }]
            : [],
        next: ''
      });
    render(
      <SourceDialog
        {...props}
        request={{ kind: 'source', origin: 's3' }}
        files={files}
      />
    );
    await user.click(await screen.findByRole('button', { name: 'raw/' }));
    await user.click(await screen.findByRole('button', { name: /beers\.csv/ }));
    expect(screen.getByLabelText('S3 URI')).toHaveProperty(
      'value',
      's3://bottega-data/raw/beers.csv'
    );
    expect(await screen.findByText('Bend')).toBeTruthy();
  });

  it('has no format to choose for what a query gives', async () => {
    const { trans } = await panelProps();
    const found = detected({ Source: { Kind: 'sql', Uri: 'sqlite:///a.db' } });
    render(
      <Reading
        detected={{ ...found, Format: 'sql', Options: {} }}
        options={{}}
        trans={trans}
        onChange={jest.fn()}
      />
    );
    expect(screen.getByLabelText('Type of city')).toBeTruthy();
    expect(screen.queryByLabelText('Format')).toBeNull();
    expect(screen.queryByLabelText('Encoding')).toBeNull();
  });

  it('is closed with Escape', async () => {
    const user = userEvent.setup();
    const props = await panelProps();
    props.model.requestDialog({ kind: 'source' });
    render(
      <SourceDialog {...props} request={{ kind: 'source' }} files={files} />
    );
    expect(document.activeElement).toBe(
      screen.getByLabelText('File', { selector: 'input:not([type="radio"])' })
    );
    await user.keyboard('{Escape}');
    expect(props.model.dialog).toBeNull();
  });
});

describe('the dialog of a join', () => {
  it('suggests keys, previews, and joins', async () => {
    const user = userEvent.setup();
    const props = await panelProps();
    const { client, model } = props;
    model.requestDialog({
      kind: 'join',
      left: { nodeId: 'beers', outputName: 'default' }
    });
    const { container } = render(
      <JoinDialog
        {...props}
        request={{
          kind: 'join',
          left: { nodeId: 'beers', outputName: 'default' }
        }}
      />
    );
    expect(screen.getByLabelText('Key 1 of the left table')).toHaveProperty(
      'value',
      'id'
    );
    expect(await screen.findByText('2,410 rows × 3')).toBeTruthy();
    const right = screen.getByLabelText('Key 1 of the right table');
    expect(
      within(right)
        .getAllByRole('option')
        .filter(item => (item as HTMLOptionElement).disabled)
        .map(item => item.textContent)
    ).toEqual(['city · string (is no long)']);
    expect((await axe(container)).violations).toEqual([]);
    await user.selectOptions(screen.getByLabelText('Join type'), 'leftouter');
    await user.click(screen.getByRole('button', { name: 'Join' }));
    await waitFor(() => expect(model.dialog).toBeNull());
    expect(client.requests('bottega:EditFlow').at(-1)?.Edit).toMatchObject({
      Kind: 'join',
      NodeId: 'beers',
      OtherNodeId: 'breweries',
      Values: { join_type: 'leftouter', left_column: 'id', right_column: 'id' }
    });
  });

  it('shows the refusal of the server in the place of the preview', async () => {
    const props = await panelProps({
      'bottega:PreviewFlow': () => {
        throw new BottegaError(
          'ValidationException',
          'The join gives too many rows.',
          400
        );
      }
    });
    render(
      <JoinDialog
        {...props}
        request={{
          kind: 'join',
          left: { nodeId: 'beers', outputName: 'default' }
        }}
      />
    );
    expect(
      await screen.findByText('The join gives too many rows.')
    ).toBeTruthy();
  });
});

describe('the dialog of a concatenation', () => {
  it('asks for the table below and the transform’s own parameters', async () => {
    const user = userEvent.setup();
    const props = await panelProps();
    const { client, model } = props;
    model.requestDialog({
      kind: 'concatenate',
      first: { nodeId: 'beers', outputName: 'default' }
    });
    render(
      <ConcatenateDialog
        {...props}
        request={{
          kind: 'concatenate',
          first: { nodeId: 'beers', outputName: 'default' }
        }}
      />
    );
    await user.click(await screen.findByLabelText('Remove duplicates'));
    await user.click(screen.getByRole('button', { name: 'Concatenate' }));
    await waitFor(() => expect(model.dialog).toBeNull());
    expect(client.requests('bottega:EditFlow').at(-1)?.Edit).toMatchObject({
      Kind: 'concatenate',
      OtherNodeId: 'breweries',
      Values: { remove_duplicates: true }
    });
  });
});
