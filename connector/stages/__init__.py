"""The seven stages of a lap, each named after its verb. Each first plans (values in, actions out), then acts, and can be run again."""
