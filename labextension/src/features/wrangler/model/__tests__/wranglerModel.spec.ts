import { BottegaError } from '../../../../api/request';
import type { IFlowColumn } from '../../../../api/types/wrangler';
import {
  CHAIN,
  flow,
  flowAnswers,
  given,
  Held,
  MemoryStore,
  parsed,
  raw,
  readyModel,
  stateOf,
  until
} from '../../__tests__/fixtures';
import { FakeClient } from '../../../../testing/fakeClient';
import { PassingTrust } from '../trust';
import { WranglerModel } from '../wranglerModel';

const CODE = flow(
  raw('s', 'SOURCE'),
  raw('x', 'TRANSFORM', ['s'], {
    operator: 'sagemaker.spark.custom_code_0.1',
    parameters: { code: 'df = df' }
  })
);

describe('a flow that is opened', () => {
  it('is read, checked, and shows its last table', async () => {
    const { model, client } = await readyModel(CHAIN);
    expect(model.nodes.map(node => node.State?.Title)).toEqual([
      'Title of s',
      'Title of a',
      'Title of b',
      'Title of c'
    ]);
    expect(model.selected).toEqual({ nodeId: 'c', outputName: 'default' });
    expect(client.requests('bottega:CheckFlow')).toEqual([
      { Flow: CHAIN, Folder: '/home/ada/data', Trusted: false }
    ]);
    expect(model.table).toMatchObject({ NodeId: 'c', Compare: false });
    expect(model.saveState).toEqual({ state: 'saved' });
  });

  it('without nodes shows nothing', async () => {
    const { model } = await readyModel('');
    expect(model.nodes).toEqual([]);
    expect(model.table).toBeNull();
  });

  it('that is no JSON says so, and is not written over', async () => {
    const { model, store } = await readyModel('{');
    expect(model.problem).toBeInstanceOf(SyntaxError);
    expect(store.writes).toEqual([]);
  });

  it('whose file cannot be read says why', async () => {
    const store = new MemoryStore();
    store.read = () => Promise.reject(new Error('No such file.'));
    const model = new WranglerModel(
      new FakeClient(flowAnswers()),
      store,
      new PassingTrust()
    );
    await until(() => model.isReady);
    expect(model.problem?.message).toBe('No such file.');
  });

  it('that cannot be checked says why, and can be asked about again', async () => {
    let works = false;
    const answers = flowAnswers();
    const { model } = await (async () => {
      const client = new FakeClient({
        ...answers,
        'bottega:CheckFlow': request => {
          if (!works) {
            throw new BottegaError('InternalFailure', 'It is down.', 500);
          }
          return given(answers['bottega:CheckFlow'])(request);
        }
      });
      const made = new WranglerModel(
        client,
        new MemoryStore(CHAIN),
        new PassingTrust()
      );
      await until(() => made.checkProblem !== null);
      return { model: made };
    })();
    expect(model.checkProblem?.message).toBe('It is down.');
    works = true;
    await model.recheck();
    expect(model.checkProblem).toBeNull();
    expect(model.check?.Nodes).toHaveLength(4);
  });
});

describe('edits', () => {
  it('are saved at once, select what they made, and are checked', async () => {
    const { model, store, client } = await readyModel(CHAIN);
    const id = await model.edit({
      Kind: 'add_step',
      NodeId: 'c',
      OutputName: 'default',
      Operator: 'o'
    });
    expect(model.selected?.nodeId).toBe(id);
    await until(() => model.saveState.state === 'saved');
    expect(parsed(store.text)).toHaveLength(5);
    await until(() => model.node(id)?.State !== undefined);
    expect(client.requests('bottega:CheckFlow')).toHaveLength(2);
  });

  it('that are refused leave the flow as it was', async () => {
    const { model, store } = await readyModel(CHAIN, {
      'bottega:EditFlow': () => {
        throw new BottegaError('ValidationException', 'No column "q".', 400);
      }
    });
    await expect(model.edit({ Kind: 'remove', NodeId: 'a' })).rejects.toThrow(
      'No column "q".'
    );
    expect(model.text).toBe(CHAIN);
    expect(model.canUndo).toBe(false);
    expect(store.writes).toEqual([]);
  });

  it('happen one after the other, each on what the one before left', async () => {
    const { model } = await readyModel(CHAIN);
    await Promise.all([
      model.edit({ Kind: 'remove', NodeId: 'a' }),
      model.edit({ Kind: 'remove', NodeId: 'b' })
    ]);
    expect(model.nodes.map(node => node.NodeId)).toEqual(['s', 'c']);
  });

  it('that switch a step off leave the eye where it was', async () => {
    const { model } = await readyModel(CHAIN);
    await model.edit({ Kind: 'disable', NodeId: 'a' });
    expect(model.selected?.nodeId).toBe('c');
    expect(model.node('a')?.Disabled).toBe(true);
  });

  it('can be undone and redone, with what was looked at', async () => {
    const { model, store } = await readyModel(CHAIN);
    model.select('b');
    await model.edit({ Kind: 'remove', NodeId: 'b' });
    const after = model.text;
    expect(model.selected?.nodeId).toBe('a');
    await model.undo();
    expect(model.text).toBe(CHAIN);
    expect(model.selected?.nodeId).toBe('b');
    expect(model.canUndo).toBe(false);
    await model.redo();
    expect(model.text).toBe(after);
    expect(model.canRedo).toBe(false);
    await until(() => model.saveState.state === 'saved');
    expect(store.text).toBe(after);
    await model.undo();
    await model.edit({ Kind: 'disable', NodeId: 'a' });
    expect(model.canRedo).toBe(false);
  });

  it('that cannot be saved stay, and are saved when it is tried again', async () => {
    const { model, store } = await readyModel(CHAIN);
    store.refusal = 'The disk is full.';
    await model.edit({ Kind: 'disable', NodeId: 'a' });
    await until(() => model.saveState.state === 'failed');
    expect(model.node('a')?.Disabled).toBe(true);
    store.refusal = null;
    await model.retrySave();
    expect(model.saveState).toEqual({ state: 'saved' });
    expect(store.text).toBe(model.text);
  });

  it('of others are taken, and can be undone', async () => {
    const { model, store } = await readyModel(CHAIN);
    const theirs = flow(raw('s', 'SOURCE'));
    store.outside.emit(theirs);
    expect(model.text).toBe(theirs);
    expect(model.selected?.nodeId).toBe('s');
    await model.undo();
    expect(model.text).toBe(CHAIN);
  });

  it('are told to the grid only where the table is another', async () => {
    const { model } = await readyModel(CHAIN);
    const tables: Array<string | undefined> = [];
    model.tableChanged.connect((_, table) => tables.push(table?.NodeId));
    model.selectColumn('id');
    model.chooseTab('code');
    model.select('c');
    expect(tables).toEqual([]);
    model.select('b');
    expect(tables).toEqual(['b']);
    model.setCompare(true);
    expect(model.table?.Compare).toBe(true);
    expect(tables).toEqual(['b', 'b']);
  });
});

describe('a step that is being added', () => {
  it('is previewed without being kept, then applied as it was previewed', async () => {
    const { model, store, client } = await readyModel(CHAIN);
    model.startDraft({ Kind: 'add_step', Operator: 'o', Values: { n: 1 } });
    expect(model.draft?.edit).toMatchObject({
      NodeId: 'c',
      OutputName: 'default'
    });
    expect(model.table?.NodeId).toBe('c');
    await until(() => model.draft?.pending === false);
    const { draft } = model;
    expect(model.table).toMatchObject({
      Flow: draft?.flow,
      NodeId: draft?.nodeId,
      Compare: true
    });
    expect(model.inputColumns?.map(column => column.Name)).toEqual([
      'id',
      'city'
    ]);
    expect(store.writes).toEqual([]);
    await model.applyDraft();
    expect(model.draft).toBeNull();
    expect(model.text).toBe(draft?.flow);
    expect(model.selected?.nodeId).toBe(draft?.nodeId);
    expect(client.requests('bottega:EditFlow')).toHaveLength(1);
    await until(() => store.writes.length === 1);
  });

  it('takes its last values, whatever comes late', async () => {
    const held = new Held<'bottega:EditFlow'>();
    const { model } = await readyModel(CHAIN, {
      'bottega:EditFlow': held.answer
    });
    model.startDraft({ Kind: 'add_step', Operator: 'o', Values: { n: 1 } });
    model.changeDraft({ n: 2 });
    await until(() => held.requests.length === 2);
    const answer = (n: number) => ({
      Flow: flow(raw('s', 'SOURCE'), raw(`n${n}`, 'TRANSFORM', ['s'])),
      NodeId: `n${n}`
    });
    held.give(1, answer(2));
    await until(() => model.draft?.pending === false);
    held.give(0, answer(1));
    await new Promise(resolve => setTimeout(resolve, 0));
    expect(model.draft?.nodeId).toBe('n2');
    expect(held.requests[1]?.Edit.Values).toEqual({ n: 2 });
  });

  it('is tried once for values that follow each other fast', async () => {
    const { model, client } = await readyModel(CHAIN);
    model.startDraft({ Kind: 'add_step', Operator: 'o', Values: {} });
    await until(() => model.draft?.pending === false);
    for (const n of [1, 2, 3]) {
      model.changeDraft({ n });
    }
    await until(() => model.draft?.pending === false);
    expect(
      client.requests('bottega:EditFlow').map(request => request.Edit.Values)
    ).toEqual([{}, { n: 3 }]);
  });

  it('that is refused says so, shows what was accepted, and is not applied', async () => {
    const answers = flowAnswers();
    const { model } = await readyModel(CHAIN, {
      'bottega:EditFlow': request => {
        if (request.Edit.Values?.['n'] === 'x') {
          throw new BottegaError(
            'ValidationException',
            '"x" is no number.',
            400
          );
        }
        return given(answers['bottega:EditFlow'])(request);
      }
    });
    model.startDraft({ Kind: 'add_step', Operator: 'o', Values: { n: 1 } });
    await until(() => model.draft?.pending === false);
    const accepted = model.draft?.nodeId;
    model.changeDraft({ n: 'x' });
    await until(() => model.draft?.problem !== null);
    expect(model.draft).toMatchObject({
      nodeId: accepted,
      problem: { message: '"x" is no number.', parameter: null }
    });
    await expect(model.applyDraft()).rejects.toThrow('"x" is no number.');
    expect(model.draft).not.toBeNull();
    expect(model.text).toBe(CHAIN);
    model.cancelDraft();
    expect(model.table?.NodeId).toBe('c');
  });

  it('with an error of its node names the parameter', async () => {
    const { model } = await readyModel(CHAIN, {
      'bottega:CheckFlow': ({ Flow }) => ({
        Nodes: parsed(Flow).map(node =>
          stateOf(
            node,
            node.node_id.startsWith('step-')
              ? { Error: 'The column "q" is not there.', Parameter: 'column' }
              : {}
          )
        ),
        NeedsTrust: false,
        Ends: [],
        Notes: []
      })
    });
    const asked: Array<string | undefined> = [];
    model.tableChanged.connect((_, table) => asked.push(table?.NodeId));
    model.startDraft({ Kind: 'add_step', Operator: 'o' });
    await until(() => model.draft?.pending === false);
    expect(model.draft?.problem).toEqual({
      message: 'The column "q" is not there.',
      parameter: 'column'
    });
    expect(model.table?.NodeId).toBe('c');
    // The table of a step that cannot be carried out was not asked for, either.
    expect(asked).toEqual([]);
  });

  it('is given up when another table is looked at', async () => {
    const { model } = await readyModel(CHAIN);
    model.startDraft({ Kind: 'add_step', Operator: 'o' });
    model.select('a');
    expect(model.draft).toBeNull();
  });

  it('that is edited shows its own columns and takes those before it', async () => {
    const wide: IFlowColumn[] = [{ Name: 'q', Type: 'float' }];
    const { model } = await readyModel(CHAIN, {
      'bottega:CheckFlow': ({ Flow }) => ({
        Nodes: parsed(Flow).map(node =>
          stateOf(node, node.node_id === 'b' ? { Columns: wide } : {})
        ),
        NeedsTrust: false,
        Ends: [],
        Notes: []
      })
    });
    model.startDraft({ Kind: 'change_step', NodeId: 'b', Values: {} });
    expect(model.selected?.nodeId).toBe('b');
    await until(() => model.draft?.pending === false);
    expect(model.columns).toEqual(wide);
    expect(model.inputColumns?.map(column => column.Name)).toEqual([
      'id',
      'city'
    ]);
  });
});

describe('code that came with a flow', () => {
  it('does not run before it was asked about, then is remembered', async () => {
    const memory = new PassingTrust();
    const { model, client } = await readyModel(CODE, {}, memory);
    expect(model.trust).toBe('asked');
    expect(model.request().Trusted).toBe(false);
    await model.setTrusted(true);
    expect(model.trust).toBe('given');
    expect(model.table?.Trusted).toBe(true);
    expect(client.requests('bottega:CheckFlow').at(-1)?.Trusted).toBe(true);

    const again = await readyModel(CODE, {}, memory);
    await until(() => again.model.trust === 'given');
    expect(again.model.request().Trusted).toBe(true);

    const changed = CODE.replace('df = df', 'import os');
    const other = await readyModel(changed, {}, memory);
    expect(other.model.trust).toBe('asked');
  });

  it('does not run when that was refused', async () => {
    const { model } = await readyModel(CODE);
    await model.setTrusted(false);
    expect(model.trust).toBe('refused');
    expect(model.request().Trusted).toBe(false);
  });

  it('is the user’s own when it was written here', async () => {
    const memory = new PassingTrust();
    const { model, store } = await readyModel(CHAIN, {}, memory);
    expect(model.trust).toBe('unneeded');
    expect(model.request().Trusted).toBe(true);
    const id = await model.edit({
      Kind: 'add_step',
      NodeId: 'c',
      OutputName: 'default',
      Operator: 'sagemaker.spark.custom_code_0.1',
      Values: { code: 'df' }
    });
    await until(() => model.node(id)?.State?.RunsCode === true);
    expect(model.trust).toBe('unneeded');
    const again = await readyModel(store.text, {}, memory);
    await until(() => again.model.trust === 'given');
  });

  it('of somebody else’s edit is asked about', async () => {
    const { model, store } = await readyModel(CHAIN);
    store.outside.emit(CODE);
    expect(model.request().Trusted).toBe(false);
    await until(() => model.trust === 'asked');
  });
});
