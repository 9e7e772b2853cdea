import type { TranslationBundle } from '@jupyterlab/translation';
import type { KeyboardEvent } from 'react';
import { useEffect, useId, useRef, useState } from 'react';

import type { FlowServing, IFlowTransform } from '../../../api/types/wrangler';
import { Button } from '../../../shared/components/controls';
import { Failure, Skeleton } from '../../../shared/components/states';
import { useSignal } from '../../../shared/hooks/useSignal';
import type { IDraft, IPanelProps, IWranglerModel } from '../model/types';
import { ParameterFields } from './form/parameterForm';
import type { IProblem } from './form/values';
import { firstProblem, toSend } from './form/values';
import type { Values } from './json';
import { isSame } from './json';
import { useLoaded } from './useLoaded';

/** The form of the step that is being added or edited; what it does is seen in the grid. */
export function StepForm(props: IPanelProps): JSX.Element {
  const { model, trans } = props;
  useSignal(model.changed);
  const catalogue = useLoaded(() => model.transforms(), [model]);
  const { draft } = model;
  if (!draft) {
    return <></>;
  }
  if (catalogue.state === 'loading') {
    return <Skeleton trans={trans} rows={5} />;
  }
  if (catalogue.state === 'error') {
    return (
      <Failure
        error={catalogue.error}
        trans={trans}
        what={trans.__('The form cannot be shown.')}
        retry={catalogue.retry}
      />
    );
  }
  const subject = subjectOf(model, draft);
  const transform = catalogue.value.Transforms.find(
    item => item.Operator === subject.operator && item.Name === subject.name
  );
  if (!transform) {
    return (
      <div className="jp-BottegaStepForm">
        <p role="alert" className="jp-BottegaPanel-problem">
          {trans.__(
            'There is no form for “%1” (%2); the step can be removed or left as it is.',
            subject.name,
            subject.operator
          )}
        </p>
        <Button onClick={() => model.cancelDraft()}>{trans.__('Close')}</Button>
      </div>
    );
  }
  return (
    <Form
      // Another step is another form.
      key={`${draft.edit.Kind} ${draft.edit.NodeId ?? ''} ${subject.operator} ${subject.name}`}
      {...props}
      draft={draft}
      transform={transform}
      before={subject.before}
    />
  );
}

/** Which transform the draft is about, and the values it has in the flow already. */
function subjectOf(
  model: IWranglerModel,
  draft: IDraft
): { operator: string; name: string; before: Values } {
  const { edit } = draft;
  const node =
    edit.Kind === 'change_step' && edit.NodeId
      ? model.node(edit.NodeId)
      : undefined;
  return {
    operator: edit.Operator ?? node?.Operator ?? '',
    name: edit.Name ?? node?.State?.Name ?? '',
    before: node?.State?.Values ?? {}
  };
}

function Form(
  props: IPanelProps & {
    draft: IDraft;
    transform: IFlowTransform;
    before: Values;
  }
): JSX.Element {
  const { model, draft, transform, before, trans } = props;
  const { Parameters: parameters } = transform;
  const title = useId();
  const form = useRef<HTMLFormElement>(null);
  const [values, setValues] = useState<Values>(() => ({
    ...before,
    ...withoutNulls(draft.edit.Values ?? {})
  }));
  const [attempted, setAttempted] = useState(false);
  const [applying, setApplying] = useState(false);
  const [refusal, setRefusal] = useState<string | null>(null);
  // What this form has put into the draft; other values of the draft come from a suggestion.
  const own = useRef<unknown[]>([draft.edit.Values ?? {}]);
  const local = firstProblem(parameters, values, trans);

  const { Values: drafted } = draft.edit;
  useEffect(() => {
    if (!own.current.some(item => isSame(item, drafted ?? {}))) {
      own.current = [drafted ?? {}];
      setValues(withoutNulls(drafted ?? {}));
    }
  }, [drafted]);

  useEffect(() => {
    form.current
      ?.querySelector<HTMLElement>(
        'select, input:not([type="search"]), [contenteditable="true"]'
      )
      ?.focus();
  }, []);

  const change = (next: Values): void => {
    setValues(next);
    setRefusal(null);
    if (firstProblem(parameters, next, trans) === null) {
      const sent = toSend(parameters, next, before);
      own.current.push(sent);
      model.changeDraft(sent);
    }
  };
  const apply = async (): Promise<void> => {
    setAttempted(true);
    if (local) {
      focusParameter(form.current, local.parameter);
      return;
    }
    setApplying(true);
    setRefusal(null);
    try {
      await model.applyDraft();
    } catch (error) {
      setRefusal(error instanceof Error ? error.message : String(error));
      setApplying(false);
    }
  };
  const onKeyDown = (event: KeyboardEvent): void => {
    if (event.defaultPrevented) {
      return; // the editor's own: it closes its list, say
    }
    if (event.key === 'Escape') {
      event.stopPropagation();
      model.cancelDraft();
    } else if (
      event.key === 'Enter' &&
      (isApply(event) || takesEnter(event.target))
    ) {
      event.preventDefault();
      void apply();
    }
  };

  const problem = shownProblem(local, draft, attempted);
  const isPlaced = problem !== null && hasField(transform, problem.parameter);
  const general = refusal ?? (problem && !isPlaced ? problem.message : null);
  return (
    <form
      ref={form}
      className="jp-BottegaStepForm"
      aria-labelledby={title}
      aria-busy={draft.pending || applying}
      data-pending={draft.pending}
      onKeyDown={onKeyDown}
      onSubmit={event => event.preventDefault()}
    >
      <h3 id={title}>{transform.Name}</h3>
      <p className="jp-BottegaPanel-hint">{transform.Sentence}</p>
      <ParameterFields
        parameters={parameters}
        columns={model.inputColumns ?? []}
        values={values}
        problem={isPlaced ? problem : null}
        trans={trans}
        onChange={change}
      />
      <Notes transform={transform} trans={trans} />
      {general && (
        <p role="alert" className="jp-BottegaPanel-problem">
          {general}
        </p>
      )}
      <p role="status" className="jp-BottegaStepForm-summary">
        {draft.pending
          ? trans.__('Looking at what it does…')
          : local === null && !draft.problem
            ? (draft.state?.Summary ?? '')
            : ''}
      </p>
      <div className="jp-BottegaStepForm-actions">
        <Button kind="primary" disabled={applying} onClick={() => void apply()}>
          {trans.__('Apply')}
        </Button>
        <Button onClick={() => model.cancelDraft()}>
          {trans.__('Cancel')}
        </Button>
      </div>
    </form>
  );
}

/** What becomes of missing values, and of the step in front of a model. */
function Notes(props: {
  transform: IFlowTransform;
  trans: TranslationBundle;
}): JSX.Element {
  const { transform, trans } = props;
  const serving: Record<FlowServing, string> = {
    apply: trans.__('In front of a model it is applied to every request.'),
    skip: trans.__(
      'In front of a model it is left out: it would drop or reorder rows.'
    ),
    refuse: trans.__('A flow with it cannot run in front of a model.')
  };
  return (
    <details className="jp-BottegaStepForm-notes">
      <summary>{trans.__('Missing, empty and infinite values')}</summary>
      <p>{transform.EdgeCases}</p>
      {transform.Learns && (
        <p>
          {trans.__('It learns from the data, and keeps what it has learnt.')}
        </p>
      )}
      <p>{serving[transform.Serving]}</p>
    </details>
  );
}

/** What is said now: of a form that is still being filled in, not that something is missing. */
function shownProblem(
  local: IProblem | null,
  draft: IDraft,
  attempted: boolean
): IProblem | null {
  if (local) {
    return attempted || !local.isMissing ? local : null;
  }
  const { problem } = draft;
  return problem && !draft.pending
    ? { parameter: problem.parameter ?? '', message: problem.message }
    : null;
}

function hasField(transform: IFlowTransform, parameter: string): boolean {
  return transform.Parameters.some(item => item.Name === parameter);
}

function focusParameter(form: HTMLElement | null, parameter: string): void {
  const field = form?.querySelector(
    `[data-parameter="${CSS.escape(parameter)}"]`
  );
  field?.scrollIntoView({ block: 'nearest' });
  field
    ?.querySelector<HTMLElement>(
      'input, select, [contenteditable="true"], button'
    )
    ?.focus();
}

function isApply(event: KeyboardEvent): boolean {
  return event.ctrlKey || event.metaKey;
}

/** Whether Enter means *Apply* here: in fields of one line, not on buttons. */
function takesEnter(target: EventTarget): boolean {
  if (!(target instanceof HTMLElement)) {
    return false;
  }
  return (
    (target instanceof HTMLInputElement && target.type !== 'search') ||
    target instanceof HTMLSelectElement ||
    target.getAttribute('aria-multiline') === 'false'
  );
}

function withoutNulls(values: Values): Values {
  return Object.fromEntries(
    Object.entries(values).filter(([, value]) => value !== null)
  );
}
