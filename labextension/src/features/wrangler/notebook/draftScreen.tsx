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
    const store = new DraftStore(client, name, name);
    const mine = new WranglerModel(client, store, memory);
    setModel(mine);
    frame.setTitle(name);
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
