import type { CompletionSource } from '@codemirror/autocomplete';
import { autocompletion } from '@codemirror/autocomplete';
import { defaultKeymap, history, historyKeymap } from '@codemirror/commands';
import type { Extension } from '@codemirror/state';
import { Compartment, EditorState } from '@codemirror/state';
import { EditorView, keymap, lineNumbers } from '@codemirror/view';
import { EditorLanguageRegistry, jupyterTheme } from '@jupyterlab/codemirror';

/** What code can be in. */
export type CodeLanguage = 'python' | 'sql' | 'formula' | 'json';

/** An editor on the page. */
export interface ICodeView {
  /** Show another text, unless it is the one that is there. */
  setValue(value: string): void;
  destroy(): void;
}

/** The names of CodeMirror's languages. A formula is an expression of SQL. */
const LANGUAGES: Record<CodeLanguage, string> = {
  python: 'python',
  sql: 'sql',
  formula: 'sql',
  json: 'json'
};

/** An editor looks like the other fields of a form. */
const FRAME = EditorView.theme({
  '&': {
    maxHeight: '60vh',
    border: '1px solid var(--jp-border-color1)',
    borderRadius: '3px'
  },
  '&.cm-focused': { borderColor: 'var(--jp-brand-color1)' },
  '.cm-scroller': {
    overflow: 'auto',
    fontFamily: 'var(--jp-code-font-family)',
    fontSize: 'var(--jp-code-font-size)',
    lineHeight: 'var(--jp-code-line-height)'
  }
});

/** Put an editor into an element. */
export function createCodeView(options: {
  parent: HTMLElement;
  value: string;
  language: CodeLanguage;
  label: string;
  describedBy: string | undefined;
  readOnly: boolean;
  singleLine: boolean;
  onChange: (value: string) => void;
  complete: CompletionSource | undefined;
}): ICodeView {
  const highlight = new Compartment();
  let given = options.value;
  const attributes: Record<string, string> = {
    'aria-label': options.label,
    'aria-multiline': String(!options.singleLine),
    // Tab leads on through the form, as it does everywhere else.
    tabindex: '0'
  };
  if (options.describedBy) {
    attributes['aria-describedby'] = options.describedBy;
  }
  if (options.readOnly) {
    attributes['aria-readonly'] = 'true';
  }
  const extensions: Extension[] = [
    // What comes first takes precedence.
    FRAME,
    jupyterTheme,
    highlight.of([]),
    EditorView.contentAttributes.of(attributes),
    EditorState.readOnly.of(options.readOnly),
    EditorView.updateListener.of(update => {
      if (update.docChanged) {
        const text = update.state.doc.toString();
        if (text !== given) {
          given = text;
          options.onChange(text);
        }
      }
    })
  ];
  if (options.singleLine) {
    extensions.push(
      EditorState.transactionFilter.of(change =>
        change.newDoc.lines > 1 ? [] : change
      )
    );
  } else {
    extensions.push(lineNumbers());
  }
  if (options.singleLine || !options.readOnly) {
    extensions.push(EditorView.lineWrapping, history());
  }
  if (options.complete) {
    extensions.push(
      autocompletion({ override: [options.complete], icons: false })
    );
  }
  // After those of the completion, whose list takes Enter and Escape first.
  extensions.push(
    keymap.of([
      ...historyKeymap,
      ...defaultKeymap.filter(
        binding => !takenByForm(binding.key, options.singleLine)
      )
    ])
  );
  const view = new EditorView({
    parent: options.parent,
    state: EditorState.create({ doc: given, extensions })
  });
  let destroyed = false;
  const language = EditorLanguageRegistry.getDefaultLanguages().find(
    item => item.name.toLowerCase() === LANGUAGES[options.language]
  );
  void language?.load?.().then(support => {
    if (!destroyed) {
      view.dispatch({ effects: highlight.reconfigure(support) });
    }
  });
  return {
    setValue: value => {
      if (value !== view.state.doc.toString()) {
        given = value;
        view.dispatch({
          changes: { from: 0, to: view.state.doc.length, insert: value }
        });
      }
    },
    destroy: () => {
      destroyed = true;
      view.destroy();
    }
  };
}

/** Whether a key means the form: Enter in a single line, with Ctrl or Cmd anywhere, applies it. */
function takenByForm(key: string | undefined, singleLine: boolean): boolean {
  return key === 'Mod-Enter' || (singleLine && key === 'Enter');
}
