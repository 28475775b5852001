// An answer that no honest server gives: another one is to be asked.

export class BadAnswer extends Error {
  constructor(reason: string) {
    super(reason);
    this.name = 'BadAnswer';
  }
}
