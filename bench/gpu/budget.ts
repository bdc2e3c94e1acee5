/** Time for all there is to do, counted from the start. */
export class Budget {
  readonly #end: number;
  readonly #now: () => number;

  /** @param now seconds of a clock */
  constructor(seconds: number, now: () => number = () => performance.now() / 1000) {
    this.#now = now;
    this.#end = now() + seconds;
  }

  /** Seconds; 0 where the time is over. */
  get left(): number {
    return Math.max(0, this.#end - this.#now());
  }

  /** A share of what is left, of 0 to 1: 0.5 is half of it. */
  part(share: number): Budget {
    return new Budget(share * this.left, this.#now);
  }

  /** Why something that takes so many seconds at least is not begun; null where there is time for it. */
  refusal(seconds: number): string | null {
    const { left } = this;
    if (left >= seconds) return null;
    return `time ran out: ${left.toFixed(0)} s left, it would take ${seconds.toFixed(0)} s or more`;
  }
}
