import { EditorView } from '@codemirror/view';

import { createCodeView } from '../form/codeMirror';

function editor(more: Partial<Parameters<typeof createCodeView>[0]> = {}): {
  view: EditorView;
  told: string[];
  handle: ReturnType<typeof createCodeView>;
} {
  const parent = document.createElement('div');
  document.body.append(parent);
  const told: string[] = [];
  const handle = createCodeView({
    parent,
    value: 'a',
    language: 'python',
    label: 'Code',
    describedBy: undefined,
    readOnly: false,
    singleLine: false,
    onChange: text => told.push(text),
    complete: undefined,
    ...more
  });
  const view = EditorView.findFromDOM(parent);
  if (!view) {
    throw new Error('There is no editor.');
  }
  return { view, told, handle };
}

const type = (view: EditorView, text: string): void =>
  view.dispatch({ changes: { from: view.state.doc.length, insert: text } });

describe('an editor', () => {
  it('tells what is typed, and not what it was given', () => {
    const { view, told, handle } = editor();
    type(view, 'b');
    handle.setValue('other');
    expect(told).toEqual(['ab']);
    expect(view.state.doc.toString()).toBe('other');
    handle.destroy();
  });

  it('keeps a formula in one line', () => {
    const { view, told, handle } = editor({
      singleLine: true,
      language: 'formula'
    });
    type(view, '\nb');
    type(view, ' + 1');
    expect(told).toEqual(['a + 1']);
    handle.destroy();
  });

  it('is only read where nothing may be changed', () => {
    const { view, handle } = editor({ readOnly: true });
    expect(view.state.readOnly).toBe(true);
    expect(view.contentDOM.getAttribute('aria-readonly')).toBe('true');
    handle.destroy();
  });
});
