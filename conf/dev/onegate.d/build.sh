# Building with Meson; the same as "meson setup build && meson compile -C build".

# "./onegate build": everything that the build needs, then the build.
command_build() {
	packages_install "$ONEGATE_ROOT/conf/dev/packages.txt"
	data_folder_make
	build_modules
}

build_modules() {
	say build "meson compile ($BUILD)"
	if [ ! -f "$BUILD/build.ninja" ]; then
		rm -rf "$BUILD/meson-private"
		build_step meson setup "$BUILD" "$ONEGATE_ROOT"
	fi
	build_step meson compile -C "$BUILD"
	say build "ready"
}

build_step() {
	"$@" >"$LOG/build.log" 2>&1 </dev/null 9>&- && return
	grep -E 'error:|ERROR:|FAILED:' "$LOG/build.log" | head -n 20 >&2 || true
	die "the build failed: see $LOG/build.log"
}
