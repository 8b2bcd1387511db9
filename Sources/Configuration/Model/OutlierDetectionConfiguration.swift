/// `outlier_detection`: servers whose work fails get no new work for a while.
package struct OutlierDetectionConfiguration: Sendable, Equatable {
    /// Failures in a row after which a server is ejected, 0...1000; 0: never.
    package var consecutiveFailures = 5
    /// How long the first ejection lasts; each that follows soon is longer by as much.
    package var baseEjection = Duration.seconds(30)
    /// Servers of an upstream that may be ejected at a time, in percent, 1...100.
    package var maximumEjected = 34

    package init() {}
}
