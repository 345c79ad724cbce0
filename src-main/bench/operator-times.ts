import type { OperatorTime } from '../../src-shared/bench.ts';

/** What is read of an event in ONNX Runtime's profile (Chrome's trace event format); times in microseconds. */
interface ProfileEvent {
  cat: string;
  name: string;
  ts: number;
  dur: number;
  args?: { op_name?: string };
}

/**
 * Time by operator, longest first, from the text of a profile that ONNX Runtime wrote for one session. Its first
 * `skipped` steps are left out, of `passes` runs each, and runs that the profile has no room for; counts and times are those
 * of one step.
 */
export function operatorTimes(profile: string, skipped: number, passes: number): OperatorTime[] {
  const events: ProfileEvent[] = JSON.parse(profile);
  const runs = events.filter(({ name }) => name === 'model_run').sort((a, b) => a.ts - b.ts);
  const kept = runs.slice(skipped * passes);
  if (kept.length === 0) return [];
  const begin = kept[0].ts;
  const end = kept.at(-1)!.ts + kept.at(-1)!.dur;
  const steps = kept.length / passes;
  const totals = new Map<string, { count: number; us: number }>();
  let all = 0;
  for (const { cat, name, ts, dur, args } of events) {
    if (cat !== 'Node' || !name.endsWith('_kernel_time') || !args?.op_name) continue;
    if (ts < begin || ts > end) continue;
    const total = totals.get(args.op_name) ?? { count: 0, us: 0 };
    totals.set(args.op_name, { count: total.count + 1, us: total.us + dur });
    all += dur;
  }
  return [...totals]
    .map(([operator, { count, us }]) => ({
      operator,
      count: count / steps,
      ms: us / 1000 / steps,
      share: us / all,
    }))
    .sort((a, b) => b.ms - a.ms);
}
