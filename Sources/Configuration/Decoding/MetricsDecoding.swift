extension MetricsConfiguration {
    init(from reader: consuming TableReader) {
        self.init()
        countsCalls = reader.flag("calls", default: countsCalls)
        maximumTools = reader.integer(
            "max_tools", in: 0...2_000, default: maximumTools,
            " names of tools in each upstream; more are counted together, and monitoring keeps 21 numbers for each")
        reader.finish()
    }
}
