import { useEffect, useRef, useState } from "preact/hooks";
import { Playground } from "../../simulator/playground/playground.ts";
import type { PlaygroundView } from "../../simulator/playground/view.ts";

export const speeds = [0, 1, 10] as const;
export type Speed = (typeof speeds)[number];

/** A page that was out of sight for long does not make up for it. */
const frameMaxMs = 100;
const stepMs = 250;

export interface Running {
  readonly view: PlaygroundView;
  readonly speed: Speed;
  setSpeed(speed: Speed): void;
  /** Lets a little time pass while it stands still. */
  step(): void;
  /** Does something to it, and shows what came of that. */
  act(action: (playground: Playground) => void): void;
  restart(): void;
}

/** Has virtual time pass as fast as was asked for, a frame at a time. */
export function usePlayground(): Running {
  const [seed, setSeed] = useState(1);
  const playground = useRef<Playground>(undefined);
  const [view, setView] = useState<PlaygroundView>(() => {
    playground.current = new Playground(seed);
    return playground.current.view();
  });
  const [speed, setSpeed] = useState<Speed>(1);
  const show = (): void => setView(playground.current!.view());
  useEffect(() => {
    if (speed === 0) return;
    let [frame, lastMs, isOver] = [0, performance.now(), false];
    const next = async (nowMs: number): Promise<void> => {
      const passedMs = Math.min(frameMaxMs, Math.max(0, nowMs - lastMs));
      lastMs = nowMs;
      await playground.current!.advance(passedMs * speed);
      if (isOver) return;
      show();
      frame = requestAnimationFrame(next);
    };
    frame = requestAnimationFrame(next);
    return () => {
      isOver = true;
      cancelAnimationFrame(frame);
    };
  }, [speed]);
  return {
    ...{ view, speed, setSpeed },
    step: () => void playground.current!.advance(stepMs).then(show),
    act(action) {
      action(playground.current!);
      show();
    },
    restart() {
      playground.current = new Playground(seed + 1);
      setSeed(seed + 1);
      show();
    },
  };
}
