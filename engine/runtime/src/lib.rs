//! How processes live: tasks, shutdown, telemetry, configuration, system clock.
