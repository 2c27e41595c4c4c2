# Kafka: one node in KRaft mode. Its jars come by Maven coordinates from a
# pinned pom and stay in the cache folder, shared by all checkouts.

readonly KAFKA_READY_SECONDS=90

kafka_start() {
	local java
	! process_alive kafka || return 0
	java=$(kafka_java)
	kafka_fetch "$java"
	kafka_create "$java"
	say kafka "starting on $HOST:$ONEGATE_KAFKA_PORT"
	# The quick compiler alone: a stack is young, and what the second one
	# takes from two cores in its first minutes it gives back much later.
	process_start kafka "$java" -Xms128m -Xmx512m -XX:+UseSerialGC -XX:TieredStopAtLevel=1 \
	    -Dorg.slf4j.simpleLogger.showDateTime=true \
	    -cp "$KAFKA_JARS/*" kafka.Kafka "$DATA/conf/kafka.properties"
	process_ready kafka "$KAFKA_READY_SECONDS" kafka_answers
	say kafka "ready"
}

kafka_java() {
	local java
	for java in /usr/lib/jvm/java-17-openjdk-*/bin/java; do
		[ -x "$java" ] && printf '%s' "$java" && return
	done
	die "no Java 17 below /usr/lib/jvm: apt-get install openjdk-17-jre-headless"
}

# Sets KAFKA_JARS. A folder gets its name only when it is whole.
kafka_fetch() {
	local pom=$ONEGATE_ROOT/conf/dev/kafka/pom.xml name fresh
	name=kafka-$(sha256sum "$pom" | cut -c 1-12)
	KAFKA_JARS=$CACHE/$name
	[ ! -d "$KAFKA_JARS" ] || return 0
	mkdir -p "$CACHE" 2>/dev/null ||
	    die "cannot make $CACHE: choose another folder with ONEGATE_CACHE"
	exec 8>"$CACHE/lock"
	flock -w 900 8 || die "another onegate still fetches Kafka: end it first"
	if [ ! -d "$KAFKA_JARS" ]; then
		say kafka "fetching Apache Kafka with Maven"
		fresh=$CACHE/$name.new
		kafka_fetch_jars "$1" "$pom" "$fresh" ||
		    die "Maven could not fetch Kafka: $(grep -m 1 ERROR "$LOG/maven.log" | cut -c 1-300) (see $LOG/maven.log; run again when the network is back)"
		mv "$fresh" "$KAFKA_JARS"
	fi
	exec 8>&-
}

# kafka_fetch_jars JAVA POM FOLDER: a network may fail once or twice.
kafka_fetch_jars() {
	local try
	for try in 1 2 3; do
		rm -rf "$3"
		! JAVA_HOME=${1%/bin/java} mvn -B -ntp -f "$2" \
		    dependency:copy-dependencies -DincludeScope=runtime \
		    -DoutputDirectory="$3" \
		    >"$LOG/maven.log" 2>&1 8>&- 9>&- </dev/null || return 0
		say kafka "Maven failed (try $try of 3)"
	done
	return 1
}

kafka_create() {
	local id
	mkdir -p "$DATA/kafka"
	sed -e "s|@HOST@|$HOST|g" -e "s|@PORT@|$ONEGATE_KAFKA_PORT|g" \
	    -e "s|@CONTROLLER_PORT@|$ONEGATE_KAFKA_CONTROLLER_PORT|g" \
	    -e "s|@DATA@|$DATA/kafka|g" \
	    "$ONEGATE_ROOT/conf/dev/kafka/server.properties" \
	    >"$DATA/conf/kafka.properties"
	[ ! -f "$DATA/kafka/meta.properties" ] || return 0
	say kafka "formatting $DATA/kafka"
	# A cluster id is 16 bytes in URL-safe base64 and must not start with "-".
	id=A$(openssl rand -base64 18 | tr '+/' 'AB' | cut -c 2-22)
	"$1" -Xmx256m -cp "$KAFKA_JARS/*" kafka.tools.StorageTool format \
	    -t "$id" -c "$DATA/conf/kafka.properties" \
	    >"$LOG/kafka-format.log" 2>&1 9>&- </dev/null ||
	    die "Kafka could not format its folder: $(tail -n 1 "$LOG/kafka-format.log") (see $LOG/kafka-format.log)"
}

kafka_answers() {
	grep -q 'Kafka Server started' "$LOG/kafka.log" &&
	    port_open "$ONEGATE_KAFKA_PORT"
}

kafka_stop() {
	process_stop kafka TERM 30
}
