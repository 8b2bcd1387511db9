extension OutlierDetectionConfiguration {
    /// The table that switches outlier detection on; nil if the file has none.
    static func read(from reader: consuming TableReader) -> OutlierDetectionConfiguration? {
        var configuration = OutlierDetectionConfiguration()
        configuration.consecutiveFailures = reader.integer(
            "consecutive_failures", in: 0...1_000, default: configuration.consecutiveFailures, "; 0 ejects no server")
        configuration.baseEjection = reader.duration(
            "base_ejection", in: .seconds(1) ... .seconds(86_400), default: configuration.baseEjection,
            cannotBeOff: "a server that recovered would never get work again")
        configuration.maximumEjected = reader.integer(
            "max_ejected", in: 1...100, default: configuration.maximumEjected,
            ", in percent of the upstream's servers; of two or more one may be ejected, and one is always left")
        let isPresent = reader.range != nil
        reader.finish()
        return isPresent ? configuration : nil
    }
}
