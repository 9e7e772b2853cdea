import type { TranslationBundle } from '@jupyterlab/translation';
import type { KeyboardEvent } from 'react';
import { useEffect, useId, useMemo, useRef, useState } from 'react';

import type { IFlowTransform } from '../../../api/types/wrangler';
import { Failure } from '../../../shared/components/states';
import { useSignal } from '../../../shared/hooks/useSignal';
import type { IPanelProps } from '../model/types';
import { offered, searchTransforms } from './searchTransforms';
import { startStep } from './startStep';
import { Suggestions } from './suggestions';
import { useLoaded } from './useLoaded';

/** *Add step*: a search over all transforms, and beside it what would do the column good. */
export function StepPalette(props: IPanelProps): JSX.Element {
  const { model, trans } = props;
  useSignal(model.changed);
  const catalogue = useLoaded(() => model.transforms(), [model]);
  const known = catalogue.state === 'ready' ? catalogue.value.Transforms : null;
  const transforms = useMemo(() => known && offered(known), [known]);
  if (catalogue.state === 'error') {
    return (
      <Failure
        error={catalogue.error}
        trans={trans}
        what={trans.__('The transforms cannot be listed.')}
        retry={catalogue.retry}
      />
    );
  }
  return (
    <section className="jp-BottegaPalette" aria-label={trans.__('Add step')}>
      <TransformSearch
        transforms={transforms}
        disabled={model.selected === null || model.store.readOnly}
        trans={trans}
        onChoose={transform => startStep(model, transform)}
      />
      <Suggestions {...props} />
    </section>
  );
}

/** A combobox as WAI-ARIA has it, with a list in groups. */
function TransformSearch(props: {
  /** Null until they are known. */
  transforms: readonly IFlowTransform[] | null;
  disabled: boolean;
  trans: TranslationBundle;
  onChoose: (transform: IFlowTransform) => void;
}): JSX.Element {
  const { trans, transforms } = props;
  const base = useId();
  const [query, setQuery] = useState('');
  const [open, setOpen] = useState(false);
  const [active, setActive] = useState(0);
  const list = useRef<HTMLDivElement>(null);
  const groups = useMemo(
    () => searchTransforms(transforms ?? [], query),
    [transforms, query]
  );
  const found = useMemo(
    () => groups.flatMap(item => item.transforms),
    [groups]
  );

  useEffect(() => {
    if (open) {
      list.current
        ?.querySelector('[aria-selected="true"]')
        ?.scrollIntoView({ block: 'nearest' });
    }
  }, [open, active, found]);

  const choose = (transform: IFlowTransform): void => {
    setOpen(false);
    setQuery('');
    setActive(0);
    props.onChoose(transform);
  };
  const onKeyDown = (event: KeyboardEvent): void => {
    if (event.key === 'Escape') {
      if (open) {
        event.stopPropagation();
        setOpen(false);
      }
      return;
    }
    if (event.key === 'Enter') {
      const transform = found[active];
      if (open && transform) {
        event.preventDefault();
        choose(transform);
      }
      return;
    }
    const last = found.length - 1;
    const next = {
      ArrowDown: open ? Math.min(active + 1, last) : active,
      ArrowUp: open ? Math.max(active - 1, 0) : active,
      PageDown: Math.min(active + 8, last),
      PageUp: Math.max(active - 8, 0)
    }[event.key];
    if (next !== undefined && last >= 0) {
      event.preventDefault();
      setOpen(true);
      setActive(next);
    }
  };
  const idOf = (transform: IFlowTransform): string =>
    `${base}-${found.indexOf(transform)}`;
  const chosen = found[active];
  const count = transforms?.length ?? 0;
  return (
    <div className="jp-BottegaPalette-search">
      <input
        type="text"
        role="combobox"
        className="jp-BottegaInput"
        value={query}
        disabled={props.disabled}
        placeholder={
          count > 0
            ? trans.__('Add step — search %1 transforms', count)
            : trans.__('Add step — search transforms')
        }
        aria-label={trans.__('Add step')}
        aria-expanded={open}
        aria-controls={`${base}-list`}
        aria-autocomplete="list"
        aria-activedescendant={open && chosen ? idOf(chosen) : undefined}
        spellCheck={false}
        autoComplete="off"
        onChange={event => {
          setQuery(event.target.value);
          setActive(0);
          setOpen(true);
        }}
        onClick={() => setOpen(true)}
        onBlur={() => setOpen(false)}
        onKeyDown={onKeyDown}
      />
      <div
        id={`${base}-list`}
        ref={list}
        role="listbox"
        aria-label={trans.__('Transforms')}
        className="jp-BottegaPalette-list"
        hidden={!open}
        // A press must not take the focus away before the click has come.
        onMouseDown={event => event.preventDefault()}
      >
        {open &&
          groups.map(({ group, transforms: members }) => (
            <div key={group} role="group" aria-label={group}>
              <div aria-hidden="true" className="jp-BottegaPalette-group">
                {group}
              </div>
              {members.map(transform => (
                <div
                  key={`${transform.Operator} ${transform.Name}`}
                  id={idOf(transform)}
                  role="option"
                  aria-selected={transform === chosen}
                  className="jp-BottegaPalette-option"
                  data-transform={transform.Name}
                  onClick={() => choose(transform)}
                >
                  <span className="jp-BottegaPalette-name">
                    {transform.Name}
                  </span>
                  <span className="jp-BottegaPalette-sentence">
                    {transform.Sentence}
                  </span>
                </div>
              ))}
            </div>
          ))}
      </div>
      {open && transforms && found.length === 0 && (
        <p role="status" className="jp-BottegaPalette-none">
          {trans.__(
            'No transform is found by “%1”. Custom code or a formula can do anything.',
            query
          )}
        </p>
      )}
    </div>
  );
}
