/// The contents of a configuration file: every value checked, every default filled in.
///
/// Files with the same meaning decode to equal values, so that a reload can compare. Relative paths of the file have
/// been resolved against its folder.
package struct Configuration: Sendable, Equatable {
    /// Settings of the process.
    package var global: GlobalConfiguration
    /// What is measured.
    package var metrics = MetricsConfiguration()
    /// In the order of the file; at least one. All addresses differ.
    package var listeners: [ListenerConfiguration]
    /// The first that matches is used. Never empty: a file without routes gets one that matches everything.
    package var routes: [RouteConfiguration]
    /// In the order of the file; at least one. Names are unique.
    package var upstreams: [UpstreamConfiguration]
    /// When alerts fire.
    package var alerts = AlertsConfiguration()

    package init(
        global: GlobalConfiguration, listeners: [ListenerConfiguration], routes: [RouteConfiguration],
        upstreams: [UpstreamConfiguration]
    ) {
        self.global = global
        self.listeners = listeners
        self.routes = routes
        self.upstreams = upstreams
    }
}
