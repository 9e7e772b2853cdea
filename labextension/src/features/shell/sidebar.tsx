import type { TranslationBundle } from '@jupyterlab/translation';
import { useEffect, useId, useRef, useState } from 'react';

import { Loadable } from '../../shared/components/states';
import { StatusDot } from '../../shared/components/status';
import { duration } from '../../shared/format';
import { useLive } from '../../shared/hooks/useLive';
import { useNow } from '../../shared/hooks/useNow';
import { useSignal } from '../../shared/hooks/useSignal';
import { bottegaIcon } from '../../shared/icons';
import { VisibleWidget } from '../../shared/visibleWidget';
import type {
  IBottega,
  IBottegaClient,
  IScreenFrame,
  ISection,
  ISectionItem
} from '../../tokens';

type Visibility = Pick<IScreenFrame, 'isVisible' | 'visibilityChanged'>;

/** What changes fast is read at most so often: each metric that a run logs is an event. */
const FOLD_MS = 500;

/** The Studio's sidebar: what features have, live. */
export class Sidebar extends VisibleWidget {
  constructor(
    private readonly _studio: IBottega,
    private readonly _client: IBottegaClient,
    private readonly _trans: TranslationBundle
  ) {
    super();
    this.id = 'bottega-sidebar';
    this.addClass('jp-BottegaSidebar');
    this.title.icon = bottegaIcon;
    this.title.caption = _trans.__('Bottega Studio');
    this.node.setAttribute('role', 'region');
    this.node.setAttribute('aria-label', _trans.__('Bottega Studio'));
  }

  protected render(): JSX.Element {
    return (
      <Sections
        studio={this._studio}
        client={this._client}
        trans={this._trans}
        frame={this}
      />
    );
  }
}

interface ISidebarProps {
  studio: IBottega;
  client: IBottegaClient;
  trans: TranslationBundle;
  frame: Visibility;
}

function Sections(props: ISidebarProps): JSX.Element {
  const { studio, client, trans } = props;
  useSignal(studio.sectionsChanged);
  useSignal(client.events.statusChanged);
  return (
    <>
      {client.events.status === 'reconnecting' && (
        <div className="jp-BottegaSidebar-connection" role="status">
          {trans.__('Connecting to the studio…')}
        </div>
      )}
      {studio.sections.map(section => (
        <SectionView key={section.id} section={section} {...props} />
      ))}
    </>
  );
}

function SectionView(
  props: ISidebarProps & { section: ISection }
): JSX.Element {
  const { section, studio, trans } = props;
  const [open, setOpen] = useState(true);
  const content = useId();
  const live = useLive(props, () => section.load(), [section], {
    concerns: section.concerns,
    every: section.every ?? null,
    fold: FOLD_MS
  });
  const latest = useRef(live);
  latest.current = live;
  useEffect(() => {
    const again = (): void => {
      if (latest.current.state !== 'loading') {
        latest.current.retry();
      }
    };
    section.changed?.connect(again);
    return () => {
      section.changed?.disconnect(again);
    };
  }, [section]);
  const { create } = section;
  return (
    <section className="jp-BottegaSection" data-section={section.id}>
      <div className="jp-BottegaSection-heading">
        <button
          type="button"
          className="jp-BottegaSection-toggle"
          aria-expanded={open}
          aria-controls={content}
          onClick={() => setOpen(!open)}
        >
          <span aria-hidden="true">{open ? '▾' : '▸'}</span> {section.label}
        </button>
        <span className="jp-BottegaSection-count">
          {live.state === 'ready' ? live.value.count : ''}
        </span>
        {create && (
          <button
            type="button"
            className="jp-BottegaSection-new"
            title={create.label}
            aria-label={create.label}
            onClick={() => void studio.execute(create.command)}
          >
            +
          </button>
        )}
      </div>
      <div id={content} hidden={!open}>
        {open && (
          <Loadable
            live={live}
            trans={trans}
            rows={2}
            what={trans.__('%1 cannot be read.', section.label)}
          >
            {value => (
              <ul className="jp-BottegaSection-items">
                {value.items.length === 0 && (
                  <li className="jp-BottegaSection-empty">{section.empty}</li>
                )}
                {value.items.map(item => (
                  <li key={item.path}>
                    <button
                      type="button"
                      className="jp-BottegaSection-item"
                      title={item.label}
                      onClick={() =>
                        item.open ? item.open() : studio.open(item.path)
                      }
                    >
                      <StatusDot status={item.status} trans={trans} />
                      <span className="jp-BottegaSection-name">
                        {item.label}
                      </span>
                      <span className="jp-BottegaSection-note">
                        <Note item={item} frame={props.frame} />
                      </span>
                    </button>
                  </li>
                ))}
                <li>
                  <button
                    type="button"
                    className="jp-BottegaSection-all"
                    aria-label={trans.__('Open all: %1', section.label)}
                    onClick={() => studio.open(section.path)}
                  >
                    {trans.__('Open all')}
                  </button>
                </li>
              </ul>
            )}
          </Loadable>
        )}
      </div>
    </section>
  );
}

/** What stands at the end of a line; the time of what runs goes on. */
function Note(props: { item: ISectionItem; frame: Visibility }): JSX.Element {
  const { note, since } = props.item;
  const now = useNow(props.frame, since !== undefined);
  return <>{since === undefined ? note : duration(Math.max(0, now - since))}</>;
}
