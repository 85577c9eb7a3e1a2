// SPDX-License-Identifier: Apache-2.0
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Properties;
import java.util.Set;
import java.util.TreeSet;
import java.util.concurrent.TimeUnit;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.NewTopic;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.serialization.StringDeserializer;
import org.apache.kafka.common.serialization.StringSerializer;

/** One step of a session with a broker: {@code KafkaSession ADDRESS create|list|produce|consume|delete ...}. */
public final class KafkaSession {
    private static final long SECONDS = 60;

    private KafkaSession() {}

    private static Properties properties(String address) {
        Properties properties = new Properties();
        properties.put("bootstrap.servers", address);
        properties.put("key.serializer", StringSerializer.class.getName());
        properties.put("value.serializer", StringSerializer.class.getName());
        properties.put("key.deserializer", StringDeserializer.class.getName());
        properties.put("value.deserializer", StringDeserializer.class.getName());
        properties.put("auto.offset.reset", "earliest");
        properties.put("enable.auto.commit", "false");
        return properties;
    }

    /** Sends messages "from" to "to" - 1, each acknowledged by the broker. */
    private static void produce(Properties properties, String topic, int from, int to) throws Exception {
        properties.put("acks", "all");
        try (KafkaProducer<String, String> producer = new KafkaProducer<>(properties)) {
            for (int number = from; number < to; number++) {
                producer.send(new ProducerRecord<>(topic, "key" + number, "message " + number));
            }
            producer.flush();
        }
    }

    /** Reads, as a member of the group, as many messages as are wanted, and commits; prints them in order. */
    private static void consume(Properties properties, String topic, String group, int count) {
        properties.put("group.id", group);
        Set<String> seen = new TreeSet<>();
        long deadline = System.nanoTime() + TimeUnit.SECONDS.toNanos(SECONDS);
        try (KafkaConsumer<String, String> consumer = new KafkaConsumer<>(properties)) {
            consumer.subscribe(List.of(topic));
            while (seen.size() < count && System.nanoTime() < deadline) {
                for (ConsumerRecord<String, String> message : consumer.poll(Duration.ofMillis(500))) {
                    seen.add(message.value());
                }
            }
            consumer.commitSync();
        }
        seen.forEach(System.out::println);
    }

    public static void main(String[] words) throws Exception {
        Properties properties = properties(words[0]);
        try (Admin admin = Admin.create(Map.of("bootstrap.servers", words[0]))) {
            switch (words[1]) {
                case "create":
                    NewTopic topic = new NewTopic(words[2], Optional.of(Integer.valueOf(words[3])), Optional.empty());
                    admin.createTopics(List.of(topic)).all().get(SECONDS, TimeUnit.SECONDS);
                    break;
                case "list":
                    new ArrayList<>(new TreeSet<>(admin.listTopics().names().get(SECONDS, TimeUnit.SECONDS)))
                            .forEach(System.out::println);
                    break;
                case "produce":
                    produce(properties, words[2], Integer.parseInt(words[3]), Integer.parseInt(words[4]));
                    break;
                case "consume":
                    consume(properties, words[2], words[3], Integer.parseInt(words[4]));
                    break;
                case "delete":
                    admin.deleteTopics(List.of(words[2])).all().get(SECONDS, TimeUnit.SECONDS);
                    break;
                default:
                    throw new IllegalArgumentException(words[1]);
            }
        }
    }
}
