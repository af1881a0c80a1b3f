/** Measures a stretch of the generator's work: wall time, and the share of one core that the generator itself took. */
export const startStopwatch = () => {
  const startedAt = performance.now();
  const before = process.cpuUsage();
  return () => {
    const seconds = (performance.now() - startedAt) / 1000;
    const { user, system } = process.cpuUsage(before);
    return { seconds, busyShare: (user + system) / 1e6 / seconds };
  };
};
