import { useEffect, useState } from 'react';

import { Skeleton } from '../../../shared/components/states';
import type { IScreenProps } from '../../../tokens';
import type { ITrustMemory } from '../model/trust';
import { WranglerModel } from '../model/wranglerModel';
import { WranglerView } from '../wranglerView';
import { DraftStore } from './draftStore';

/** The flow of a notebook's table in a tab: the same draft as in the notebook. */
export function DraftScreen(
  props: IScreenProps & { memory: ITrustMemory }
): JSX.Element {
  const { client, studio, trans, name, frame, memory } = props;
  const [model, setModel] = useState<WranglerModel | null>(null);
  useEffect(() => {
    const title = titleOf(name);
    const store = new DraftStore(client, name, title);
    const mine = new WranglerModel(client, store, memory);
    setModel(mine);
    frame.setTitle(title);
    return () => {
      mine.dispose();
      store.dispose();
    };
  }, [client, name, frame, memory]);
  return model ? (
    <WranglerView model={model} client={client} studio={studio} trans={trans} />
  ) : (
    <Skeleton trans={trans} rows={10} />
  );
}

/** What the table of a draft is called: the draft's name without what makes it the only one. */
export function titleOf(draftId: string): string {
  return draftId.replace(/-[0-9a-f]{12}$/, '') || draftId;
}
